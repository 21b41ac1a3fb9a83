#!/bin/sh
# From a table to a function's log, and back to nothing.
set -eu
cd "$(dirname "$0")"
. ../settings.sh
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
group=/aws/lambda/StreamLogger

step "a table that keeps a stream of both images"
aws dynamodb create-table --table-name UserEvents \
    --attribute-definitions AttributeName=UserID,AttributeType=S AttributeName=EventID,AttributeType=S \
    --key-schema AttributeName=UserID,KeyType=HASH AttributeName=EventID,KeyType=RANGE \
    --billing-mode PAY_PER_REQUEST \
    --stream-specification StreamEnabled=true,StreamViewType=NEW_AND_OLD_IMAGES \
    --query TableDescription.LatestStreamArn --output text
aws dynamodb wait table-exists --table-name UserEvents
stream=$(aws dynamodb describe-table --table-name UserEvents --query Table.LatestStreamArn --output text)

step "a function, and the role it runs as"
package "$work/function.zip" function
aws iam create-role --role-name DynamoStreamRole --query Role.Arn --output text --assume-role-policy-document \
    '{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"Service":"lambda.amazonaws.com"},"Action":"sts:AssumeRole"}]}'
aws iam attach-role-policy --role-name DynamoStreamRole \
    --policy-arn arn:aws:iam::aws:policy/service-role/AWSLambdaDynamoDBExecutionRole
aws lambda create-function --function-name StreamLogger --runtime python3.12 --handler lambda_function.handler \
    --zip-file "fileb://$work/function.zip" --role "arn:aws:iam::$account:role/DynamoStreamRole" \
    --query FunctionArn --output text
aws lambda wait function-active-v2 --function-name StreamLogger

step "the stream drives the function"
uuid=$(aws lambda create-event-source-mapping --function-name StreamLogger --event-source-arn "$stream" \
    --starting-position LATEST --query UUID --output text)
is() { [ "$(aws lambda get-event-source-mapping --uuid "$uuid" --query State --output text)" = "$1" ]; }
until_true "the mapping is enabled" is Enabled

key='{"UserID":{"S":"USER#1001"},"EventID":{"S":"LOGIN#001"}}'
step "put, update, delete"
aws dynamodb put-item --table-name UserEvents \
    --item '{"UserID":{"S":"USER#1001"},"EventID":{"S":"LOGIN#001"},"Device":{"S":"Chrome"}}'
aws dynamodb update-item --table-name UserEvents --key "$key" \
    --update-expression "SET Device = :d" --expression-attribute-values '{":d":{"S":"Firefox"}}'
aws dynamodb delete-item --table-name UserEvents --key "$key"
for kind in INSERT MODIFY REMOVE; do until_true "$kind is in the log" logged "$group" "$kind"; done

step "paused, written to, resumed: nothing is lost"
aws lambda update-event-source-mapping --uuid "$uuid" --no-enabled --query State --output text
until_true "the mapping is disabled" is Disabled
aws dynamodb put-item --table-name UserEvents \
    --item '{"UserID":{"S":"USER#1002"},"EventID":{"S":"LOGIN#002"},"Device":{"S":"Safari"}}'
aws lambda update-event-source-mapping --uuid "$uuid" --enabled --query State --output text
until_true "what was written meanwhile is in the log" logged "$group" Safari

step "what the function saw"
aws logs filter-log-events --log-group-name "$group" --query 'events[].message' --output text | head -40

step "everything is taken away"
aws lambda delete-event-source-mapping --uuid "$uuid" --query State --output text
aws lambda delete-function --function-name StreamLogger
aws iam detach-role-policy --role-name DynamoStreamRole \
    --policy-arn arn:aws:iam::aws:policy/service-role/AWSLambdaDynamoDBExecutionRole
aws iam delete-role --role-name DynamoStreamRole
aws logs delete-log-group --log-group-name "$group"
aws dynamodb delete-table --table-name UserEvents --query TableDescription.TableStatus --output text
aws dynamodb list-tables
