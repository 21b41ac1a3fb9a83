#!/bin/sh
# A DynamoDB table's changes in Aurora PostgreSQL, by a Python function; then the same rows without one.
set -eu
cd "$(dirname "$0")"
. ../settings.sh
command -v psql >/dev/null || { echo "psql is missing: apt-get install postgresql" >&2; exit 1; }
python3 -m pip --version >/dev/null 2>&1 || { echo "pip is missing: apt-get install python3-pip" >&2; exit 1; }
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
group=/aws/lambda/SQLReplicator
password=Employees-2001
# Version 1 of the AWS CLI does not look at AWS_ENDPOINT_URL for this service.
rds() { aws --endpoint-url "$AWS_ENDPOINT_URL" rds "$@"; }
cluster() { rds describe-db-clusters --db-cluster-identifier employees --query "DBClusters[0].$1" --output text; }
# sql DATABASE STATEMENT
sql() { PGPASSWORD=$password psql -X -q -h "$host" -p "$port" -U keeper -d "$1" -v ON_ERROR_STOP=1 -A -t -F ' | ' -c "$2"; }
employees='SELECT "Id", "Name", "Department" FROM "Employees" ORDER BY "Id"'

step "the network of both, and the database: a table that the function will keep in step"
vpc=$(aws ec2 describe-vpcs --filters Name=isDefault,Values=true --query 'Vpcs[0].VpcId' --output text)
subnets=$(aws ec2 describe-subnets --filters "Name=vpc-id,Values=$vpc" --query "join(',', Subnets[].SubnetId)" --output text)
firewall=$(aws ec2 create-security-group --group-name employees --description "function to database" --vpc-id "$vpc" \
    --query GroupId --output text)
aws ec2 authorize-security-group-ingress --group-id "$firewall" --protocol tcp --port 5432 --source-group "$firewall" \
    --query Return --output text
rds create-db-cluster --db-cluster-identifier employees --engine aurora-postgresql --database-name reporting \
    --master-username keeper --master-user-password "$password" --vpc-security-group-ids "$firewall" \
    --query DBCluster.DBClusterArn --output text
rds create-db-instance --db-instance-identifier employees-writer --db-cluster-identifier employees \
    --engine aurora-postgresql --db-instance-class db.serverless --query DBInstance.DBInstanceStatus --output text
host=$(cluster Endpoint) port=$(cluster Port)
sql reporting 'CREATE TABLE "Employees" ("Id" numeric PRIMARY KEY, "Name" varchar(20), "Department" varchar(10))'

step "the secret that says how to reach it"
aws secretsmanager create-secret --name dev/rds --query ARN --output text --secret-string \
    "{\"engine\":\"postgres\",\"host\":\"$host\",\"port\":$port,\"username\":\"keeper\",\"password\":\"$password\",\"dbname\":\"reporting\",\"dbClusterIdentifier\":\"employees\"}"

step "the table, then its stream"
aws dynamodb create-table --table-name Employees --attribute-definitions AttributeName=Id,AttributeType=N \
    --key-schema AttributeName=Id,KeyType=HASH --provisioned-throughput ReadCapacityUnits=5,WriteCapacityUnits=5 \
    --table-class STANDARD --query TableDescription.TableStatus --output text
aws dynamodb wait table-exists --table-name Employees
stream=$(aws dynamodb update-table --table-name Employees \
    --stream-specification StreamEnabled=true,StreamViewType=NEW_IMAGE \
    --query TableDescription.LatestStreamArn --output text)

step "psycopg2 and Powertools in a layer, for the Python that is here"
runtime=$(python3 -c 'import sys; print("python%d.%d" % sys.version_info[:2])')
python3 -m pip install --quiet --disable-pip-version-check --target "$work/layer/python" \
    psycopg2-binary aws-lambda-powertools
package "$work/layer.zip" "$work/layer"
layer=$(aws lambda publish-layer-version --layer-name psycopg2-powertools --compatible-runtimes "$runtime" \
    --zip-file "fileb://$work/layer.zip" --query LayerVersionArn --output text)
echo "$layer"

step "the function, its role, its trigger"
policies="AWSLambdaDynamoDBExecutionRole AWSLambdaVPCAccessExecutionRole"
aws iam create-role --role-name sql-replicator --query Role.Arn --output text --assume-role-policy-document \
    '{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"Service":"lambda.amazonaws.com"},"Action":"sts:AssumeRole"}]}'
for policy in $policies; do
    aws iam attach-role-policy --role-name sql-replicator --policy-arn "arn:aws:iam::aws:policy/service-role/$policy"
done
aws iam attach-role-policy --role-name sql-replicator --policy-arn arn:aws:iam::aws:policy/SecretsManagerReadWrite
package "$work/function.zip" function
aws lambda create-function --function-name SQLReplicator --runtime "$runtime" --handler sql_replicator.handler \
    --layers "$layer" --vpc-config "SubnetIds=$subnets,SecurityGroupIds=$firewall" --timeout 30 --memory-size 256 --role "arn:aws:iam::$account:role/sql-replicator" \
    --zip-file "fileb://$work/function.zip" --query FunctionArn --output text
aws lambda wait function-active-v2 --function-name SQLReplicator
uuid=$(aws lambda create-event-source-mapping --function-name SQLReplicator --event-source-arn "$stream" \
    --starting-position TRIM_HORIZON --batch-size 100 --function-response-types ReportBatchItemFailures \
    --query UUID --output text)

rows_are() { [ "$(sql reporting "$employees" | tr '\n' ';')" = "$1" ]; }
step "an employee is inserted, updated, deleted"
aws dynamodb put-item --table-name Employees \
    --item '{"Id": {"N": "2001"}, "empDepartment": {"S": "AnyDept"}, "empName": {"S": "Akua"}}'
until_true "the row is there" rows_are "2001 | Akua | AnyDept;"
sql reporting "$employees"
aws dynamodb update-item --table-name Employees --key '{"Id": {"N": "2001"}}' \
    --update-expression "SET empDepartment = :newval" --expression-attribute-values '{":newval": {"S": "ExDept"}}'
until_true "the row has changed" rows_are "2001 | Akua | ExDept;"
sql reporting "$employees"
aws dynamodb delete-item --table-name Employees --key '{"Id": {"N": "2001"}}'
until_true "the row is gone" rows_are ""

step "a few that stay, one of them without a department"
aws dynamodb batch-write-item --request-items '{"Employees": [
    {"PutRequest": {"Item": {"Id": {"N": "2002"}, "empName": {"S": "Mateo"}, "empDepartment": {"S": "Sales"}}}},
    {"PutRequest": {"Item": {"Id": {"N": "2003"}, "empName": {"S": "Wang"}}}}]}' --query UnprocessedItems
until_true "both are there" rows_are "2002 | Mateo | Sales;2003 | Wang | NA;"
sql reporting "$employees" | tee "$work/by-function"
until_true "the function's log is there" logged "$group" 2003
aws logs filter-log-events --log-group-name "$group" --filter-pattern '"applied"' --query 'events[].message' --output text

step "the same rows by millstream replicate"
if command -v "${MILLSTREAM:=millstream}" >/dev/null; then
    sql reporting 'CREATE DATABASE replica'
    EMPLOYEES_URL="postgres://keeper:$password@$host:$port/replica" \
        "$MILLSTREAM" replicate ../replicate/employees.toml --once
    sql replica "$employees" | diff "$work/by-function" -
    echo "no difference"
else
    echo "left out: millstream is not on the PATH, nor named by MILLSTREAM"
fi

step "everything is taken away"
aws lambda delete-event-source-mapping --uuid "$uuid" --query State --output text
aws lambda delete-function --function-name SQLReplicator
aws lambda delete-layer-version --layer-name psycopg2-powertools --version-number "${layer##*:}"
for policy in $policies; do
    aws iam detach-role-policy --role-name sql-replicator --policy-arn "arn:aws:iam::aws:policy/service-role/$policy"
done
aws iam detach-role-policy --role-name sql-replicator --policy-arn arn:aws:iam::aws:policy/SecretsManagerReadWrite
aws iam delete-role --role-name sql-replicator
aws logs delete-log-group --log-group-name "$group"
aws dynamodb delete-table --table-name Employees --query TableDescription.TableStatus --output text
aws secretsmanager delete-secret --secret-id dev/rds --force-delete-without-recovery --query Name --output text
rds delete-db-instance --db-instance-identifier employees-writer --skip-final-snapshot \
    --query DBInstance.DBInstanceStatus --output text
rds delete-db-cluster --db-cluster-identifier employees --skip-final-snapshot --query DBCluster.Status --output text
aws ec2 delete-security-group --group-id "$firewall"
aws dynamodb list-tables
