// Notes every record with the AWS SDK for Go.
package main

import (
	"context"
	"os"

	"github.com/aws/aws-lambda-go/events"
	"github.com/aws/aws-lambda-go/lambda"
	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/config"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
)

var client *dynamodb.Client

func handle(ctx context.Context, event events.DynamoDBEvent) error {
	for _, record := range event.Records {
		id := record.Change.NewImage["id"].String()
		_, err := client.PutItem(ctx, &dynamodb.PutItemInput{
			TableName: aws.String(os.Getenv("SEEN")),
			Item:      map[string]types.AttributeValue{"id": &types.AttributeValueMemberS{Value: "go/" + id}},
		})
		if err != nil {
			return err
		}
	}
	return nil
}

func main() {
	settings, err := config.LoadDefaultConfig(context.Background())
	if err != nil {
		panic(err)
	}
	client = dynamodb.NewFromConfig(settings)
	lambda.Start(handle)
}
