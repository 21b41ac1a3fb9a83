#!/bin/sh
# A REST API over MySQL and the same over DynamoDB, deployed with the CDK; what is written the new way is read the old way.
set -eu
cd "$(dirname "$0")"
. ../settings.sh
for program in node npm; do
    command -v $program >/dev/null || { echo "$program is missing: https://nodejs.org" >&2; exit 1; }
done
# The CDK remembers accounts by access key: under a home of this example's own, it never remembers another server's.
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
export CDK_HOME="$work" CDK_DISABLE_CLI_TELEMETRY=true AWS_REGION="$AWS_DEFAULT_REGION" CI=true
cdk() { npx cdk "$@" --no-notices --no-version-reporting; }
deploy() { cdk deploy --progress events --require-approval never --outputs-file "$work/outputs.json" "$@"; }
output() { node -p "require('$work/outputs.json').Chefs.$1"; }
mysql() {
    aws rds-data execute-statement --resource-arn "$(output ClusterArn)" --secret-arn "$(output SecretArn)" \
        --database kitchen --format-records-as JSON --sql "$1" --query formattedRecords --output text
}
post() { curl -sS -X POST -H 'content-type: application/json' -d "$2" "$url$1"; echo; }
get() { curl -sS "$url$1"; echo; }
has_flay() { mysql "SELECT last_name FROM chef" | grep -q Flay; }

step "packages"
[ -d node_modules ] || npm ci --no-progress
npm run --silent check

step "what the CDK needs in an account, and the stack"
cdk bootstrap
deploy
url=$(output Url)

step "the old way: a table in MySQL, nobody in it, then one chef"
get aurora
get aurora/chefs
post aurora/chefs '{"firstName": "Alton", "lastName": "Brown"}'
get aurora/chefs

step "the new way: nobody in DynamoDB, then one chef"
get dynamo/chefs
post dynamo/chefs '{"firstName": "Bobby", "lastName": "Flay"}'
get dynamo/chefs

step "the stream has called the old function: both are in MySQL"
until_true "the row in MySQL" has_flay
get aurora/chefs
mysql "SELECT id, first_name, last_name FROM chef ORDER BY id"

step "a request that is no chef"
post dynamo/chefs '{"firstName": 1}'

step "a change: two functions say something else"
deploy --context greeting=bonjour
curl -sS -o /dev/null -D - "${url}dynamo/chefs" | grep -i x-greeting

step "everything is taken away"
cdk destroy --force
# What `cdk bootstrap` made stays: it is the account's, and other applications may use it.
aws cloudformation list-stacks --stack-status-filter CREATE_COMPLETE UPDATE_COMPLETE --query 'StackSummaries[].StackName'
aws rds describe-db-clusters --endpoint-url "$AWS_ENDPOINT_URL" --query DBClusters
aws lambda list-functions --query Functions
aws ec2 describe-vpcs --filters Name=isDefault,Values=false --query Vpcs
aws logs describe-log-groups --query logGroups
aws dynamodb list-tables
