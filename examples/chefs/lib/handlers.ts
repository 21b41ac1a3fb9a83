import { Duration, RemovalPolicy } from 'aws-cdk-lib';
import type { Table } from 'aws-cdk-lib/aws-dynamodb';
import { Runtime } from 'aws-cdk-lib/aws-lambda';
import { NodejsFunction } from 'aws-cdk-lib/aws-lambda-nodejs';
import { LogGroup } from 'aws-cdk-lib/aws-logs';
import { Construct } from 'constructs';
import { join } from 'node:path';
import { Database } from './database';

interface Surroundings {
  database: Database;
  table: Table;
}

/** Three functions over MySQL, two over DynamoDB. */
export class Handlers extends Construct {
  readonly initAurora: NodejsFunction;
  readonly readAurora: NodejsFunction;
  readonly writeAurora: NodejsFunction;
  readonly readDynamo: NodejsFunction;
  readonly writeDynamo: NodejsFunction;

  constructor(scope: Construct, id: string, { database, table }: Surroundings) {
    super(scope, id);
    const old = {
      CLUSTER_ARN: database.cluster.clusterArn,
      SECRET_ARN: database.secretArn,
      DATABASE: Database.NAME,
    };
    this.initAurora = this.add('InitAurora', 'init-aurora', old);
    this.readAurora = this.add('ReadAurora', 'read-aurora', old);
    this.writeAurora = this.add('WriteAurora', 'write-aurora', old);
    for (const one of [this.initAurora, this.readAurora, this.writeAurora]) {
      database.cluster.grantDataApiAccess(one);
    }
    // `cdk deploy -c greeting=…` changes what the new way says with its answers.
    const greeting: string = this.node.tryGetContext('greeting') ?? 'hello';
    const fresh = { TABLE: table.tableName, GREETING: greeting };
    this.readDynamo = this.add('ReadDynamo', 'read-dynamo', fresh);
    this.writeDynamo = this.add('WriteDynamo', 'write-dynamo', fresh);
    table.grantReadData(this.readDynamo);
    table.grantReadWriteData(this.writeDynamo);
  }

  private add(id: string, file: string, environment: Record<string, string>): NodejsFunction {
    return new NodejsFunction(this, id, {
      entry: join(__dirname, '..', 'functions', `${file}.ts`),
      runtime: Runtime.NODEJS_22_X,
      timeout: Duration.seconds(30),
      environment,
      logGroup: new LogGroup(this, `${id}Log`, { removalPolicy: RemovalPolicy.DESTROY }),
      // With the SDK inside, a function needs nothing of the machine it runs on.
      bundling: { bundleAwsSDK: true, minify: true },
    });
  }
}
