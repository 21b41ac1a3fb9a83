import { RemovalPolicy } from 'aws-cdk-lib';
import { SubnetType, Vpc } from 'aws-cdk-lib/aws-ec2';
import {
  AuroraMysqlEngineVersion,
  ClusterInstance,
  Credentials,
  DatabaseCluster,
  DatabaseClusterEngine,
} from 'aws-cdk-lib/aws-rds';
import { Construct } from 'constructs';

/** Aurora in subnets of its own, reached by nobody but through the Data API. */
export class Database extends Construct {
  static readonly NAME = 'kitchen';
  readonly cluster: DatabaseCluster;

  constructor(scope: Construct, id: string) {
    super(scope, id);
    const vpc = new Vpc(this, 'Vpc', { maxAzs: 2, natGateways: 1 });
    this.cluster = new DatabaseCluster(this, 'Cluster', {
      engine: DatabaseClusterEngine.auroraMysql({ version: AuroraMysqlEngineVersion.VER_3_08_2 }),
      writer: ClusterInstance.serverlessV2('Writer'),
      credentials: Credentials.fromGeneratedSecret('chief'),
      defaultDatabaseName: Database.NAME,
      enableDataApi: true,
      vpc,
      vpcSubnets: { subnetType: SubnetType.PRIVATE_WITH_EGRESS },
      removalPolicy: RemovalPolicy.DESTROY,
    });
  }

  get secretArn(): string {
    const secret = this.cluster.secret;
    if (!secret) throw new Error('the cluster makes a secret for its credentials');
    return secret.secretArn;
  }
}
