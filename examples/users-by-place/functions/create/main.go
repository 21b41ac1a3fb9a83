// Keeps the user that a request's body tells of in the source table.
package main

import (
	"context"
	"encoding/json"
	"log"
	"net/http"
	"os"

	"github.com/aws/aws-lambda-go/events"
	"github.com/aws/aws-lambda-go/lambda"
	"github.com/aws/aws-sdk-go-v2/config"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
)

type user struct {
	Email   string `json:"email"`
	State   string `json:"state"`
	City    string `json:"city"`
	Zipcode string `json:"zipcode"`
}

func (u user) item() map[string]types.AttributeValue {
	return map[string]types.AttributeValue{
		"email":   &types.AttributeValueMemberS{Value: u.Email},
		"state":   &types.AttributeValueMemberS{Value: u.State},
		"city":    &types.AttributeValueMemberS{Value: u.City},
		"zipcode": &types.AttributeValueMemberN{Value: u.Zipcode},
		"active":  &types.AttributeValueMemberBOOL{Value: true},
	}
}

type creator struct {
	client *dynamodb.Client
	table  string
}

func (c creator) handle(ctx context.Context, request events.APIGatewayV2HTTPRequest) (events.APIGatewayV2HTTPResponse, error) {
	var wanted user
	if err := json.Unmarshal([]byte(request.Body), &wanted); err != nil {
		return events.APIGatewayV2HTTPResponse{StatusCode: http.StatusBadRequest, Body: err.Error()}, nil
	}
	if _, err := c.client.PutItem(ctx, &dynamodb.PutItemInput{TableName: &c.table, Item: wanted.item()}); err != nil {
		return events.APIGatewayV2HTTPResponse{}, err
	}
	log.Printf("created %s", wanted.Email)
	return events.APIGatewayV2HTTPResponse{StatusCode: http.StatusCreated}, nil
}

func main() {
	settings, err := config.LoadDefaultConfig(context.Background())
	if err != nil {
		log.Fatal(err)
	}
	creator := creator{dynamodb.NewFromConfig(settings), os.Getenv("TABLE_NAME")}
	if creator.table == "" {
		log.Fatal("TABLE_NAME is not set")
	}
	lambda.Start(creator.handle)
}
