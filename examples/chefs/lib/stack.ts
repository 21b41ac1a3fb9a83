import { CfnOutput, RemovalPolicy, Stack, type StackProps } from 'aws-cdk-lib';
import { AttributeType, BillingMode, StreamViewType, Table } from 'aws-cdk-lib/aws-dynamodb';
import { DynamoEventSource } from 'aws-cdk-lib/aws-lambda-event-sources';
import { StartingPosition } from 'aws-cdk-lib/aws-lambda';
import type { Construct } from 'constructs';
import { Api } from './api';
import { Database } from './database';
import { Handlers } from './handlers';

/** The old way, the new way, and the stream that leads from the new one back to the old one. */
export class ChefsStack extends Stack {
  constructor(scope: Construct, id: string, props?: StackProps) {
    super(scope, id, props);
    const database = new Database(this, 'Database');
    const table = new Table(this, 'Chefs', {
      tableName: 'chefs',
      partitionKey: { name: 'ChefId', type: AttributeType.STRING },
      billingMode: BillingMode.PAY_PER_REQUEST,
      stream: StreamViewType.NEW_IMAGE,
      removalPolicy: RemovalPolicy.DESTROY,
    });
    const handlers = new Handlers(this, 'Handlers', { database, table });
    // One record at a time: a row is written before the next one is looked at.
    handlers.writeAurora.addEventSource(
      new DynamoEventSource(table, { startingPosition: StartingPosition.LATEST, batchSize: 1 }),
    );
    const api = new Api(this, 'Api', handlers);
    new CfnOutput(this, 'Url', { value: api.url });
    new CfnOutput(this, 'ClusterArn', { value: database.cluster.clusterArn });
    new CfnOutput(this, 'SecretArn', { value: database.secretArn });
  }
}
