#!/bin/sh
# An application of the CDK, deployed, used, changed, and taken away.
set -eu
cd "$(dirname "$0")"
. ../settings.sh
command -v npx >/dev/null || { echo "Node.js is missing: https://nodejs.org, version 20 or later" >&2; exit 1; }
command -v go >/dev/null || { echo "Go is missing: https://go.dev, version 1.26 or later" >&2; exit 1; }
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
export CDK_DISABLE_CLI_TELEMETRY=true AWS_REGION="$AWS_DEFAULT_REGION"
# The tag `latest` of aws-cdk names a release that applications of today cannot use.
cdk() { npx --yes aws-cdk@2.1148.1 --no-notices "$@"; }
# Sums of the CDK's modules are not kept with the example; a workspace (GOWORK) has its own.
[ -e cdk/go.sum ] || [ -n "${GOWORK:-}" ] || (cd cdk && go mod tidy)
synth() { (cd cdk && cdk synth --quiet "$@"); }

step "what the CDK needs of an account, once"
cdk bootstrap "aws://$account/$AWS_DEFAULT_REGION"

step "the application: two tables, two functions, an API"
synth --output "$work/first"
cdk deploy --app "$work/first" --require-approval never --outputs-file "$work/outputs.json"
of() { python3 -c "import json, sys; print(json.load(open(sys.argv[1]))['UsersByPlace'][sys.argv[2]])" "$work/outputs.json" "$1"; }
endpoint=$(of Endpoint) source=$(of SourceTable) target=$(of TargetTable) function=$(of ReplicateFunction)

step "users, created at $endpoint"
user() {
    status=$(curl -sS -o "$work/answer" -w '%{http_code}' -X POST -H 'Content-Type: application/json' "$endpoint" \
        -d "{\"email\": \"$1\", \"state\": \"$2\", \"city\": \"$3\", \"zipcode\": \"$4\"}")
    echo "$status $1"
    [ "$status" = 201 ] || { cat "$work/answer" >&2; exit 1; }
}
user ana@example.com "New York" Brooklyn 11208
user ben@example.com "New York" "Staten Island" 10314
user cleo@example.com Ohio Cincinnati 45201
user dan@example.com Ohio Cleveland 44101
user eve@example.com California "Los Angeles" 90003
aws dynamodb scan --table-name "$source" --query 'Items[].[email.S, zipcode.N]' --output text

step "the same users by place, without zip codes"
places() { aws dynamodb scan --table-name "$target" --select COUNT --query Count --output text; }
are_there() { [ "$(places)" = "$1" ]; }
until_true "five places in the target table" are_there 5
aws dynamodb query --table-name "$target" --key-condition-expression '#s = :s' --expression-attribute-names '{"#s": "state"}' \
    --expression-attribute-values '{":s": {"S": "Ohio"}}'

step "nothing to change, then a change"
cdk deploy --app "$work/first" --require-approval never
synth --output "$work/second" --context timeout=20
cdk deploy --app "$work/second" --require-approval never
aws lambda get-function-configuration --function-name "$function" --query '[FunctionName, Timeout]' --output text
user finn@example.com Ohio Columbus 43004
until_true "six places in the target table" are_there 6

step "everything is taken away"
cdk destroy --app "$work/second" --force
# Logs outlive their functions, as on AWS.
for group in $(aws logs describe-log-groups --log-group-name-prefix /aws/lambda/UsersByPlace- \
    --query 'logGroups[].logGroupName' --output text); do
    aws logs delete-log-group --log-group-name "$group"
done
aws cloudformation list-stacks --stack-status-filter CREATE_COMPLETE UPDATE_COMPLETE --query 'StackSummaries[].StackName' --output text
aws lambda list-functions --query 'Functions[].FunctionName'
aws dynamodb list-tables
