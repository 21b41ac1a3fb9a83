// Copies what is put into the source table to the target table, which has another key. Strings and truths are copied;
// what is of another type, as the zip code is, stays behind.
package main

import (
	"context"
	"log"
	"os"

	"github.com/aws/aws-lambda-go/events"
	"github.com/aws/aws-lambda-go/lambda"
	"github.com/aws/aws-sdk-go-v2/config"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
)

type replicator struct {
	client *dynamodb.Client
	table  string
}

func (r replicator) handle(ctx context.Context, event events.DynamoDBEvent) error {
	for _, record := range event.Records {
		if record.EventName == string(events.DynamoDBOperationTypeRemove) {
			continue
		}
		item := copied(record.Change.NewImage)
		if _, err := r.client.PutItem(ctx, &dynamodb.PutItemInput{TableName: &r.table, Item: item}); err != nil {
			return err
		}
		log.Printf("replicated %s", record.Change.Keys["email"].String())
	}
	return nil
}

func copied(image map[string]events.DynamoDBAttributeValue) map[string]types.AttributeValue {
	item := map[string]types.AttributeValue{}
	for name, value := range image {
		switch value.DataType() {
		case events.DataTypeString:
			item[name] = &types.AttributeValueMemberS{Value: value.String()}
		case events.DataTypeBoolean:
			item[name] = &types.AttributeValueMemberBOOL{Value: value.Boolean()}
		}
	}
	return item
}

func main() {
	settings, err := config.LoadDefaultConfig(context.Background())
	if err != nil {
		log.Fatal(err)
	}
	replicator := replicator{dynamodb.NewFromConfig(settings), os.Getenv("TABLE_NAME")}
	if replicator.table == "" {
		log.Fatal("TABLE_NAME is not set")
	}
	lambda.Start(replicator.handle)
}
