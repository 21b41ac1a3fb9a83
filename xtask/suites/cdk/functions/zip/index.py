import os


def handler(event, context):
    return "zip, first: " + os.environ["CHANGE"]
