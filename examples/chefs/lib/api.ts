import { LambdaIntegration, RestApi } from 'aws-cdk-lib/aws-apigateway';
import { Construct } from 'constructs';
import type { Handlers } from './handlers';

/** Both ways side by side: `/aurora/chefs` and `/dynamo/chefs`. */
export class Api extends Construct {
  readonly url: string;

  constructor(scope: Construct, id: string, handlers: Handlers) {
    super(scope, id);
    const api = new RestApi(this, 'Rest', { restApiName: 'chefs' });
    const aurora = api.root.addResource('aurora');
    aurora.addMethod('GET', new LambdaIntegration(handlers.initAurora));
    const old = aurora.addResource('chefs');
    old.addMethod('GET', new LambdaIntegration(handlers.readAurora));
    old.addMethod('POST', new LambdaIntegration(handlers.writeAurora));
    const fresh = api.root.addResource('dynamo').addResource('chefs');
    fresh.addMethod('GET', new LambdaIntegration(handlers.readDynamo));
    fresh.addMethod('POST', new LambdaIntegration(handlers.writeDynamo));
    this.url = api.url;
  }
}
