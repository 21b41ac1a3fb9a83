"""Keeps the table "Employees" of a PostgreSQL database in step with a DynamoDB table's stream."""

import os
from contextlib import closing

import psycopg2
from aws_lambda_powertools import Logger
from aws_lambda_powertools.utilities import parameters
from aws_lambda_powertools.utilities.batch import BatchProcessor, EventType, process_partial_response

logger = Logger(service="sql-replicator")
processor = BatchProcessor(event_type=EventType.DynamoDBStreams)

# A stream delivers a record again when an answer was lost: both statements may run twice.
UPSERT = """
    INSERT INTO "Employees" ("Id", "Name", "Department") VALUES (%s, %s, %s)
    ON CONFLICT ("Id") DO UPDATE SET "Name" = excluded."Name", "Department" = excluded."Department"
"""
DELETE = 'DELETE FROM "Employees" WHERE "Id" = %s'


def connect():
    login = parameters.get_secret(os.environ.get("SECRET", "dev/rds"), transform="json", max_age=300)
    connection = psycopg2.connect(
        host=login["host"],
        port=login["port"],
        user=login["username"],
        password=login["password"],
        dbname=login["dbname"],
        connect_timeout=10,
    )
    # Each record is a transaction: what stands before a bad one stays done.
    connection.autocommit = True
    return connection


def handler(event, context):
    with closing(connect()) as connection, connection.cursor() as cursor:

        def apply(record):
            key = record.dynamodb.keys["Id"]
            if record.event_name.name == "REMOVE":
                cursor.execute(DELETE, (key,))
            else:
                image = record.dynamodb.new_image
                values = (key, image.get("empName", "NA"), image.get("empDepartment", "NA"))
                cursor.execute(UPSERT, values)
            logger.info("applied", change=record.event_name.name, employee=str(key), rows=cursor.rowcount)

        return process_partial_response(event, apply, processor, context)
