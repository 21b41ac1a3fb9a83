// What the walkthrough deploys: an API whose function keeps users in one table, and a function that its stream drives to keep
// them by state and city in another.
package main

import (
	"path/filepath"

	"github.com/aws/aws-cdk-go/awscdk/v2"
	"github.com/aws/aws-cdk-go/awscdk/v2/awsapigatewayv2"
	"github.com/aws/aws-cdk-go/awscdk/v2/awsapigatewayv2integrations"
	"github.com/aws/aws-cdk-go/awscdk/v2/awsdynamodb"
	"github.com/aws/aws-cdk-go/awscdk/v2/awslambda"
	"github.com/aws/aws-cdk-go/awscdk/v2/awslambdaeventsources"
	"github.com/aws/aws-cdk-go/awscdklambdagoalpha/v2"
	"github.com/aws/jsii-runtime-go"
)

func main() {
	defer jsii.Close()
	app := awscdk.NewApp(nil)
	stack := awscdk.NewStack(app, jsii.String("UsersByPlace"), nil)

	source := awsdynamodb.NewTable(stack, jsii.String("source-table"), &awsdynamodb.TableProps{
		PartitionKey:  attribute("email"),
		Stream:        awsdynamodb.StreamViewType_NEW_AND_OLD_IMAGES,
		RemovalPolicy: awscdk.RemovalPolicy_DESTROY,
	})
	target := awsdynamodb.NewTable(stack, jsii.String("target-table"), &awsdynamodb.TableProps{
		PartitionKey:  attribute("state"),
		SortKey:       attribute("city"),
		RemovalPolicy: awscdk.RemovalPolicy_DESTROY,
	})

	create := function(stack, "create", source)
	source.GrantWriteData(create)
	replicate := function(stack, "replicate", target)
	target.GrantWriteData(replicate)
	replicate.AddEventSource(awslambdaeventsources.NewDynamoEventSource(source, &awslambdaeventsources.DynamoEventSourceProps{
		StartingPosition: awslambda.StartingPosition_LATEST,
		Enabled:          jsii.Bool(true),
	}))

	api := awsapigatewayv2.NewHttpApi(stack, jsii.String("http-api"), nil)
	api.AddRoutes(&awsapigatewayv2.AddRoutesOptions{
		Path:    jsii.String("/"),
		Methods: &[]awsapigatewayv2.HttpMethod{awsapigatewayv2.HttpMethod_POST},
		Integration: awsapigatewayv2integrations.NewHttpLambdaIntegration(
			jsii.String("create-integration"), create, nil),
	})

	output(stack, "Endpoint", api.Url())
	output(stack, "SourceTable", source.TableName())
	output(stack, "TargetTable", target.TableName())
	output(stack, "ReplicateFunction", replicate.FunctionName())
	app.Synth(nil)
}

func attribute(name string) *awsdynamodb.Attribute {
	return &awsdynamodb.Attribute{Name: jsii.String(name), Type: awsdynamodb.AttributeType_STRING}
}

// function is built from the folder of its name, and told which table it writes to.
func function(stack awscdk.Stack, name string, table awsdynamodb.Table) awscdklambdagoalpha.GoFunction {
	properties := &awscdklambdagoalpha.GoFunctionProps{
		Runtime:     awslambda.Runtime_PROVIDED_AL2023(),
		Entry:       jsii.String(filepath.Join("..", "functions", name)),
		Environment: &map[string]*string{"TABLE_NAME": table.TableName()},
	}
	// What run.sh deploys as a change: `cdk deploy -c timeout=…`.
	if seconds, given := stack.Node().TryGetContext(jsii.String("timeout")).(string); given {
		properties.Timeout = awscdk.Duration_Parse(jsii.String("PT" + seconds + "S"))
	}
	return awscdklambdagoalpha.NewGoFunction(stack, jsii.String(name+"-function"), properties)
}

func output(stack awscdk.Stack, name string, value *string) {
	awscdk.NewCfnOutput(stack, jsii.String(name), &awscdk.CfnOutputProps{Value: value})
}
