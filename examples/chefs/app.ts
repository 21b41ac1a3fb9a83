import { App } from 'aws-cdk-lib';
import { ChefsStack } from './lib/stack';

new ChefsStack(new App(), 'Chefs');
