// What the CDK does by functions of its own: providers of custom resources, calls of the SDK, stacks in stacks, buckets that
// are emptied; and an API that asks for a key. What is to be different the next time is said by context: -c change=…
import { App, CfnOutput, CustomResource, NestedStack, RemovalPolicy, Stack } from 'aws-cdk-lib';
import { ApiKey, LambdaIntegration, RestApi } from 'aws-cdk-lib/aws-apigateway';
import { AttributeType, Table } from 'aws-cdk-lib/aws-dynamodb';
import { Code, Function, Runtime } from 'aws-cdk-lib/aws-lambda';
import { Bucket } from 'aws-cdk-lib/aws-s3';
import { AwsCustomResource, AwsCustomResourcePolicy, PhysicalResourceId, Provider } from 'aws-cdk-lib/custom-resources';

const app = new App();
const stack = new Stack(app, 'Providers');
const change: string = stack.node.tryGetContext('change') ?? 'none';

// The provider's function is the CDK's, in Node.js; it calls this one.
const onEvent = new Function(stack, 'OnEvent', {
  runtime: Runtime.PYTHON_3_12,
  handler: 'index.handler',
  code: Code.fromInline(`
def handler(event, context):
    said = event['ResourceProperties']['Word']
    if said == 'broken':
        raise Exception('a word that is refused')
    return {'PhysicalResourceId': 'word', 'Data': {'Answer': event['RequestType'] + ' ' + said}}
`),
});
const provider = new Provider(stack, 'Provider', { onEventHandler: onEvent });
const word = new CustomResource(stack, 'Word', { serviceToken: provider.serviceToken, properties: { Word: change } });

// A call of the SDK, when the stack is made and when it changes, and another when it goes.
const parameter = (action: string, more: object) => ({
  service: 'SSM',
  action,
  parameters: { Name: '/suite/called', ...more },
  physicalResourceId: PhysicalResourceId.of('called'),
});
const called = new AwsCustomResource(stack, 'Called', {
  onUpdate: parameter('PutParameter', { Value: change, Type: 'String', Overwrite: true }),
  onDelete: { service: 'SSM', action: 'DeleteParameter', parameters: { Name: '/suite/called' } },
  policy: AwsCustomResourcePolicy.fromSdkCalls({ resources: AwsCustomResourcePolicy.ANY_RESOURCE }),
  installLatestAwsSdk: false,
});

// Its template is a package of its own, and its name of the table is this stack's.
const nested = new NestedStack(stack, 'Nested', { description: `nested: ${change}` });
const table = new Table(nested, 'Table', {
  partitionKey: { name: 'id', type: AttributeType.STRING },
  removalPolicy: RemovalPolicy.DESTROY,
});
const inside = new Function(nested, 'Inside', {
  runtime: Runtime.PYTHON_3_12,
  handler: 'index.handler',
  code: Code.fromInline(`
import json
def handler(event, context):
    key = event['requestContext']['identity'].get('apiKeyId')
    return {'statusCode': 200, 'body': 'inside: ${change}' if key else 'nobody'}
`),
  environment: { TABLE_NAME: table.tableName, WORD: word.getAttString('Answer') },
});

const bucket = new Bucket(stack, 'Bucket', { autoDeleteObjects: true, removalPolicy: RemovalPolicy.DESTROY });

const api = new RestApi(stack, 'Api', { cloudWatchRole: false });
api.root.addMethod('GET', new LambdaIntegration(inside), { apiKeyRequired: true });
const key = new ApiKey(stack, 'Key', { value: 'a-key-for-the-suite-alone' });
const plan = api.addUsagePlan('Plan', { apiStages: [{ stage: api.deploymentStage }], throttle: { rateLimit: 100, burstLimit: 100 } });
plan.addApiKey(key);

for (const [name, value] of Object.entries({
  Answer: word.getAttString('Answer'),
  Called: called.getResponseField('Version'),
  Table: table.tableName,
  Bucket: bucket.bucketName,
  Url: api.url,
})) {
  new CfnOutput(stack, name + 'Output', { value }).overrideLogicalId(name + 'Output');
}
