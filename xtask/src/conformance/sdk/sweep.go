// The AWS SDK for Go, doing what the other clients do.
package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"reflect"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/config"
	"github.com/aws/aws-sdk-go-v2/feature/dynamodb/attributevalue"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
)

type row struct {
	Pk    string         `dynamodbav:"pk"`
	Sk    int            `dynamodbav:"sk"`
	Owner string         `dynamodbav:"owner,omitempty"`
	Count int            `dynamodbav:"count,omitempty"`
	Tags  []string       `dynamodbav:"tags,stringset,omitempty"`
	Blob  []byte         `dynamodbav:"blob,omitempty"`
	Deep  map[string]any `dynamodbav:"deep,omitempty"`
	Text  string         `dynamodbav:"text,omitempty"`
}

var (
	ctx    = context.Background()
	client *dynamodb.Client
	table  = aws.String("SweepGo")
)

func values(pairs ...any) map[string]types.AttributeValue {
	out := map[string]types.AttributeValue{}
	for at := 0; at < len(pairs); at += 2 {
		value, err := attributevalue.Marshal(pairs[at+1])
		if err != nil {
			panic(err)
		}
		out[pairs[at].(string)] = value
	}
	return out
}

func marshal(item row) map[string]types.AttributeValue {
	out, err := attributevalue.MarshalMap(item)
	if err != nil {
		panic(err)
	}
	return out
}

func wrong(format string, arguments ...any) error { return fmt.Errorf(format, arguments...) }

func create() error {
	defined := func(name string, kind types.ScalarAttributeType) types.AttributeDefinition {
		return types.AttributeDefinition{AttributeName: aws.String(name), AttributeType: kind}
	}
	_, err := client.CreateTable(ctx, &dynamodb.CreateTableInput{
		TableName:            table,
		AttributeDefinitions: []types.AttributeDefinition{defined("pk", "S"), defined("sk", "N"), defined("owner", "S")},
		KeySchema: []types.KeySchemaElement{
			{AttributeName: aws.String("pk"), KeyType: types.KeyTypeHash}, {AttributeName: aws.String("sk"), KeyType: types.KeyTypeRange},
		},
		GlobalSecondaryIndexes: []types.GlobalSecondaryIndex{{
			IndexName:  aws.String("by-owner"),
			KeySchema:  []types.KeySchemaElement{{AttributeName: aws.String("owner"), KeyType: types.KeyTypeHash}},
			Projection: &types.Projection{ProjectionType: types.ProjectionTypeAll},
		}},
		BillingMode: types.BillingModePayPerRequest,
	})
	if err != nil {
		return err
	}
	return dynamodb.NewTableExistsWaiter(client).Wait(ctx, &dynamodb.DescribeTableInput{TableName: table}, 30*time.Second)
}

func kinds() error {
	item := row{Pk: "types", Sk: 1, Tags: []string{"a", "b"}, Blob: []byte{0, 255}, Deep: map[string]any{"er": "y", "n": 1.5}}
	if _, err := client.PutItem(ctx, &dynamodb.PutItemInput{TableName: table, Item: marshal(item)}); err != nil {
		return err
	}
	got, err := client.GetItem(ctx, &dynamodb.GetItemInput{TableName: table, Key: values("pk", "types", "sk", 1), ConsistentRead: aws.Bool(true)})
	if err != nil {
		return err
	}
	var read row
	if err := attributevalue.UnmarshalMap(got.Item, &read); err != nil {
		return err
	}
	if !reflect.DeepEqual(read, item) {
		return wrong("%v instead of %v", read, item)
	}
	return nil
}

func updates() error {
	done, err := client.UpdateItem(ctx, &dynamodb.UpdateItemInput{
		TableName: table, Key: values("pk", "update", "sk", 1), ReturnValues: types.ReturnValueUpdatedNew,
		UpdateExpression:          aws.String("SET #c = if_not_exists(#c, :zero) + :one"),
		ExpressionAttributeNames:  map[string]string{"#c": "count"},
		ExpressionAttributeValues: values(":zero", 0, ":one", 1),
	})
	if err != nil || !reflect.DeepEqual(done.Attributes, values("count", 1)) {
		return wrong("%v %v", done, err)
	}
	_, err = client.UpdateItem(ctx, &dynamodb.UpdateItemInput{
		TableName: table, Key: values("pk", "update", "sk", 1), UpdateExpression: aws.String("SET #c = :v"),
		ConditionExpression: aws.String("#c > :v"), ExpressionAttributeNames: map[string]string{"#c": "count"},
		ExpressionAttributeValues:           values(":v", 5),
		ReturnValuesOnConditionCheckFailure: types.ReturnValuesOnConditionCheckFailureAllOld,
	})
	var failed *types.ConditionalCheckFailedException
	if !errors.As(err, &failed) || len(failed.Item) != 3 {
		return wrong("%v", err)
	}
	return nil
}

func batches() error {
	for at := 0; at < 120; at += 24 {
		var puts []types.WriteRequest
		for sk := at; sk < at+24; sk++ {
			item := row{Pk: fmt.Sprint("page", sk%2), Sk: sk, Owner: fmt.Sprint("o", sk%3), Text: strings.Repeat("x", 2000)}
			puts = append(puts, types.WriteRequest{PutRequest: &types.PutRequest{Item: marshal(item)}})
		}
		done, err := client.BatchWriteItem(ctx, &dynamodb.BatchWriteItemInput{RequestItems: map[string][]types.WriteRequest{*table: puts}})
		if err != nil || len(done.UnprocessedItems) > 0 {
			return wrong("%v %v", done, err)
		}
	}
	return nil
}

func searches() error {
	count := 0
	query := dynamodb.NewQueryPaginator(client, &dynamodb.QueryInput{
		TableName: table, KeyConditionExpression: aws.String("pk = :p AND sk > :a"), ExpressionAttributeValues: values(":p", "page1", ":a", 10),
		Limit: aws.Int32(7),
	})
	for query.HasMorePages() {
		page, err := query.NextPage(ctx)
		if err != nil {
			return err
		}
		count += len(page.Items)
	}
	scan := dynamodb.NewScanPaginator(client, &dynamodb.ScanInput{TableName: table, IndexName: aws.String("by-owner"), Limit: aws.Int32(13)})
	for scan.HasMorePages() {
		page, err := scan.NextPage(ctx)
		if err != nil {
			return err
		}
		count += len(page.Items)
	}
	if count != 55+120 {
		return wrong("%d items", count)
	}
	return nil
}

func transactions() error {
	fresh := types.TransactWriteItem{Put: &types.Put{TableName: table, Item: values("pk", "tx", "sk", 1), ConditionExpression: aws.String("attribute_not_exists(pk)")}}
	other := types.TransactWriteItem{Put: &types.Put{TableName: table, Item: values("pk", "tx", "sk", 2)}}
	if _, err := client.TransactWriteItems(ctx, &dynamodb.TransactWriteItemsInput{TransactItems: []types.TransactWriteItem{fresh}}); err != nil {
		return err
	}
	_, err := client.TransactWriteItems(ctx, &dynamodb.TransactWriteItemsInput{TransactItems: []types.TransactWriteItem{other, fresh}})
	var cancelled *types.TransactionCanceledException
	if !errors.As(err, &cancelled) || len(cancelled.CancellationReasons) != 2 || *cancelled.CancellationReasons[1].Code != "ConditionalCheckFailed" {
		return wrong("%v", err)
	}
	return nil
}

func statements() error {
	parameters, _ := attributevalue.MarshalList([]any{"ql", 1})
	if _, err := client.ExecuteStatement(ctx, &dynamodb.ExecuteStatementInput{
		Statement: aws.String(`INSERT INTO "SweepGo" VALUE {'pk': ?, 'sk': ?}`), Parameters: parameters,
	}); err != nil {
		return err
	}
	got, err := client.ExecuteStatement(ctx, &dynamodb.ExecuteStatementInput{
		Statement: aws.String(`SELECT sk FROM "SweepGo" WHERE pk = ?`), Parameters: parameters[:1],
	})
	if err != nil || len(got.Items) != 1 {
		return wrong("%v %v", got, err)
	}
	return nil
}

func faults() error {
	_, err := client.GetItem(ctx, &dynamodb.GetItemInput{TableName: aws.String("Nobodys"), Key: values("pk", "x")})
	var missing *types.ResourceNotFoundException
	if !errors.As(err, &missing) {
		return wrong("%v", err)
	}
	_, err = client.CreateTable(ctx, &dynamodb.CreateTableInput{
		TableName: table, BillingMode: types.BillingModePayPerRequest,
		AttributeDefinitions: []types.AttributeDefinition{{AttributeName: aws.String("pk"), AttributeType: "S"}},
		KeySchema:            []types.KeySchemaElement{{AttributeName: aws.String("pk"), KeyType: types.KeyTypeHash}},
	})
	var used *types.ResourceInUseException
	if !errors.As(err, &used) {
		return wrong("%v", err)
	}
	return nil
}

func remove() error {
	if _, err := client.DeleteTable(ctx, &dynamodb.DeleteTableInput{TableName: table}); err != nil {
		return err
	}
	return dynamodb.NewTableNotExistsWaiter(client).Wait(ctx, &dynamodb.DescribeTableInput{TableName: table}, 30*time.Second)
}

func main() {
	settings, err := config.LoadDefaultConfig(ctx)
	if err != nil {
		panic(err)
	}
	client = dynamodb.NewFromConfig(settings)
	failed := false
	for _, step := range []struct {
		name string
		run  func() error
	}{
		{"create", create}, {"types", kinds}, {"updates", updates}, {"batches", batches}, {"searches", searches},
		{"transactions", transactions}, {"statements", statements}, {"errors", faults}, {"delete", remove},
	} {
		if err := step.run(); err != nil {
			failed = true
			fmt.Printf("FAILED go %s - %s\n", step.name, strings.SplitN(err.Error(), "\n", 2)[0])
		} else {
			fmt.Println("PASSED go", step.name)
		}
	}
	if failed {
		os.Exit(1)
	}
}
