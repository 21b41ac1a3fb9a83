// One of everything that the CDK packages differently, and what joins them: a table whose stream drives a function, an API.
// What is to be different the next time is said by context: -c change=…
import { GoFunction } from '@aws-cdk/aws-lambda-go-alpha';
import { App, CfnOutput, Duration, RemovalPolicy, Stack } from 'aws-cdk-lib';
import { HttpApi, HttpMethod } from 'aws-cdk-lib/aws-apigatewayv2';
import { HttpLambdaIntegration } from 'aws-cdk-lib/aws-apigatewayv2-integrations';
import { AttributeType, StreamViewType, Table } from 'aws-cdk-lib/aws-dynamodb';
import { Code, Function, Runtime, StartingPosition } from 'aws-cdk-lib/aws-lambda';
import { DynamoEventSource } from 'aws-cdk-lib/aws-lambda-event-sources';
import { NodejsFunction } from 'aws-cdk-lib/aws-lambda-nodejs';
import { StringParameter } from 'aws-cdk-lib/aws-ssm';

const app = new App();
const stack = new Stack(app, 'Suite', { description: 'What the suite deploys' });
const change: string = stack.node.tryGetContext('change') ?? 'none';

const table = new Table(stack, 'Table', {
  partitionKey: { name: 'id', type: AttributeType.STRING },
  stream: StreamViewType.NEW_AND_OLD_IMAGES,
  removalPolicy: RemovalPolicy.DESTROY,
  timeToLiveAttribute: change === 'none' ? undefined : 'expires',
});

const inline = new Function(stack, 'Inline', {
  runtime: Runtime.PYTHON_3_12,
  handler: 'index.handler',
  code: Code.fromInline("def handler(event, context):\n    return 'inline'\n"),
});

// A package that is no archive is found out by the server alone: the update of its function fails, and all others are taken back.
const zip = new Function(stack, 'Zip', {
  runtime: Runtime.PYTHON_3_12,
  handler: 'index.handler',
  code: Code.fromAsset(change === 'broken' ? 'broken.zip' : 'functions/zip'),
  environment: { CHANGE: change },
});

const node = new NodejsFunction(stack, 'Node', {
  runtime: Runtime.NODEJS_22_X,
  entry: 'functions/node.ts',
  environment: { TABLE_NAME: table.tableName },
  // No SDK comes with the runtime: it is bundled with the code.
  bundling: { externalModules: [] },
  timeout: change === 'none' ? undefined : Duration.seconds(20),
});
table.grantReadWriteData(node);
const api = new HttpApi(stack, 'Api');
api.addRoutes({
  path: '/items/{id}',
  methods: [HttpMethod.PUT],
  integration: new HttpLambdaIntegration('Integration', node),
});

// The Go functions are those of an example: the second copies what it is sent by the stream.
const go = new GoFunction(stack, 'Go', {
  runtime: Runtime.PROVIDED_AL2023,
  entry: stack.node.getContext('functions') + '/replicate',
  environment: { TABLE_NAME: 'nowhere' },
});
go.addEventSource(new DynamoEventSource(table, { startingPosition: StartingPosition.LATEST, retryAttempts: 0 }));

new StringParameter(stack, 'Parameter', { parameterName: '/suite/change', stringValue: change });

for (const [name, value] of Object.entries({
  Table: table.tableName,
  Inline: inline.functionName,
  Zip: zip.functionName,
  Node: node.functionName,
  Go: go.functionName,
  Url: api.apiEndpoint,
})) {
  new CfnOutput(stack, name + 'Output', { value }).overrideLogicalId(name + 'Output');
}
