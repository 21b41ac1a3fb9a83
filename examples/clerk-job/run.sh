#!/bin/sh
# A table that is there already; its stream is switched on, and drives each method of a Ruby job that asks for it.
set -eu
cd "$(dirname "$0")"
. ../settings.sh
command -v ruby >/dev/null || { echo "Ruby is missing: apt-get install ruby" >&2; exit 1; }
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
project=demo-dev
group=/aws/lambda/clerk_job-file

step "a table without a stream, as somebody left it"
aws dynamodb create-table --table-name $project-test-table --billing-mode PAY_PER_REQUEST \
    --attribute-definitions AttributeName=id,AttributeType=S --key-schema AttributeName=id,KeyType=HASH \
    --query TableDescription.TableStatus --output text
aws dynamodb wait table-exists --table-name $project-test-table

step "its stream, switched on"
aws dynamodb update-table --table-name $project-test-table \
    --stream-specification "StreamEnabled=true,StreamViewType=NEW_AND_OLD_IMAGES" \
    --query TableDescription.LatestStreamArn --output text
aws dynamodb wait table-exists --table-name $project-test-table

step "the job, and what it asks to be driven by"
mkdir "$work/code"
cp -R app handlers "$work/code"
package "$work/code.zip" "$work/code"
aws iam create-role --role-name clerk-job --query Role.Arn --output text --assume-role-policy-document \
    '{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"Service":"lambda.amazonaws.com"},"Action":"sts:AssumeRole"}]}'
aws iam attach-role-policy --role-name clerk-job \
    --policy-arn arn:aws:iam::aws:policy/service-role/AWSLambdaDynamoDBExecutionRole
ruby -I app/jobs -r application_job -r clerk_job \
    -e 'ClerkJob.sources.each { |name, table| puts "#{name} #{table}" }' >"$work/sources"
while read -r method table; do
    aws lambda create-function --function-name "clerk_job-$method" --runtime ruby3.3 --timeout 30 \
        --handler "handlers/jobs/clerk_job.$method" --role "arn:aws:iam::$account:role/clerk-job" \
        --zip-file "fileb://$work/code.zip" --query FunctionArn --output text
    stream=$(aws dynamodb describe-table --table-name "$project-$table" --query Table.LatestStreamArn --output text)
    aws lambda create-event-source-mapping --function-name "clerk_job-$method" --event-source-arn "$stream" \
        --starting-position LATEST --query UUID --output text >>"$work/mappings"
done <"$work/sources"

step "an item is put, then changed"
aws dynamodb put-item --table-name $project-test-table --item '{"id": {"S": "id-1"}, "name": {"S": "name-1"}}'
aws dynamodb put-item --table-name $project-test-table --item '{"id": {"S": "id-1"}, "name": {"S": "name-2"}}'
until_true "the change is in the job's log" logged "$group" MODIFY
aws logs filter-log-events --log-group-name "$group" --filter-pattern '"event {"' --query 'events[].message' --output text

step "everything is taken away"
while read -r uuid; do
    aws lambda delete-event-source-mapping --uuid "$uuid" --query State --output text
done <"$work/mappings"
while read -r method _; do aws lambda delete-function --function-name "clerk_job-$method"; done <"$work/sources"
aws iam detach-role-policy --role-name clerk-job \
    --policy-arn arn:aws:iam::aws:policy/service-role/AWSLambdaDynamoDBExecutionRole
aws iam delete-role --role-name clerk-job
aws logs delete-log-group --log-group-name "$group"
aws dynamodb delete-table --table-name $project-test-table --query TableDescription.TableStatus --output text
aws dynamodb list-tables
