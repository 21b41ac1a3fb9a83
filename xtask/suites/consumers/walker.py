"""Walks a stream's shards with boto3, parents before their children, and prints each record's key."""

import sys

import boto3

streams = boto3.client("dynamodbstreams")
stream, wanted = sys.argv[1], int(sys.argv[2])

shards = {}
page = streams.describe_stream(StreamArn=stream)["StreamDescription"]
while True:
    shards.update((shard["ShardId"], shard) for shard in page["Shards"])
    if "LastEvaluatedShardId" not in page:
        break
    page = streams.describe_stream(StreamArn=stream, ExclusiveStartShardId=page["LastEvaluatedShardId"])
    page = page["StreamDescription"]

found, done = 0, set()
while len(done) < len(shards):
    ready = [name for name, shard in shards.items()
             if name not in done and (shard.get("ParentShardId") not in shards or shard["ParentShardId"] in done)]
    for name in ready:
        iterator = streams.get_shard_iterator(StreamArn=stream, ShardId=name, ShardIteratorType="TRIM_HORIZON")
        iterator = iterator["ShardIterator"]
        while iterator:
            answer = streams.get_records(ShardIterator=iterator, Limit=30)
            for record in answer["Records"]:
                print(record["dynamodb"]["Keys"]["id"]["S"])
                found += 1
            iterator = answer.get("NextShardIterator")
            # An open shard has no end: it is read once nothing is missing.
            if not answer["Records"] and found >= wanted:
                break
        done.add(name)
