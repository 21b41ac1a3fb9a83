module users-by-place/cdk

go 1.26

require (
	github.com/aws/aws-cdk-go/awscdk/v2 v2.258.0
	github.com/aws/aws-cdk-go/awscdklambdagoalpha/v2 v2.258.0-alpha.0
	github.com/aws/jsii-runtime-go v1.139.0
)
