package example;

import com.amazonaws.auth.AWSStaticCredentialsProvider;
import com.amazonaws.auth.BasicAWSCredentials;
import com.amazonaws.client.builder.AwsClientBuilder.EndpointConfiguration;
import com.amazonaws.services.dynamodbv2.AmazonDynamoDB;
import com.amazonaws.services.dynamodbv2.AmazonDynamoDBClientBuilder;
import com.amazonaws.services.dynamodbv2.AmazonDynamoDBStreamsClientBuilder;
import com.amazonaws.services.dynamodbv2.streamsadapter.AmazonDynamoDBStreamsAdapterClient;
import com.amazonaws.services.dynamodbv2.streamsadapter.StreamsWorkerFactory;
import com.amazonaws.services.dynamodbv2.streamsadapter.model.RecordAdapter;
import com.amazonaws.services.kinesis.clientlibrary.interfaces.v2.IRecordProcessor;
import com.amazonaws.services.kinesis.clientlibrary.interfaces.v2.IShutdownNotificationAware;
import com.amazonaws.services.kinesis.clientlibrary.lib.worker.InitialPositionInStream;
import com.amazonaws.services.kinesis.clientlibrary.lib.worker.KinesisClientLibConfiguration;
import com.amazonaws.services.kinesis.clientlibrary.lib.worker.ShutdownReason;
import com.amazonaws.services.kinesis.clientlibrary.lib.worker.Worker;
import com.amazonaws.services.kinesis.clientlibrary.types.InitializationInput;
import com.amazonaws.services.kinesis.clientlibrary.types.ProcessRecordsInput;
import com.amazonaws.services.kinesis.clientlibrary.types.ShutdownInput;
import com.amazonaws.services.kinesis.metrics.interfaces.MetricsLevel;
import com.amazonaws.services.kinesis.model.Record;

/** A worker of the Kinesis Client Library on a stream of DynamoDB: prints what it is given, a line for each record. */
public final class Consumer {
    public static void main(String[] arguments) {
        String url = arguments[0];
        String stream = arguments[1];
        EndpointConfiguration endpoint = new EndpointConfiguration(url, "us-east-1");
        AWSStaticCredentialsProvider keys =
                new AWSStaticCredentialsProvider(new BasicAWSCredentials("suite", "suite"));
        AmazonDynamoDB tables = AmazonDynamoDBClientBuilder.standard()
                .withEndpointConfiguration(endpoint).withCredentials(keys).build();
        AmazonDynamoDBStreamsAdapterClient streams = new AmazonDynamoDBStreamsAdapterClient(
                AmazonDynamoDBStreamsClientBuilder.standard()
                        .withEndpointConfiguration(endpoint).withCredentials(keys).build());
        KinesisClientLibConfiguration settings =
                new KinesisClientLibConfiguration("suite-kcl", stream, keys, arguments[2])
                        .withMaxRecords(1000)
                        .withIdleTimeBetweenReadsInMillis(100)
                        .withShardSyncIntervalMillis(1000)
                        .withParentShardPollIntervalMillis(500)
                        .withInitialPositionInStream(InitialPositionInStream.TRIM_HORIZON)
                        .withMetricsLevel(MetricsLevel.NONE);
        Worker worker = StreamsWorkerFactory.createDynamoDbStreamsWorker(
                Printer::new, settings, streams, tables, null);
        Runtime.getRuntime().addShutdownHook(new Thread(() -> {
            try {
                worker.startGracefulShutdown().get();
            } catch (Exception error) {
                error.printStackTrace();
            }
        }));
        worker.run();
    }

    private static final class Printer implements IRecordProcessor, IShutdownNotificationAware {
        private String shard;

        @Override
        public void initialize(InitializationInput input) {
            shard = input.getShardId();
            print("begin");
        }

        @Override
        public void processRecords(ProcessRecordsInput input) {
            for (Record record : input.getRecords()) {
                com.amazonaws.services.dynamodbv2.model.Record change = ((RecordAdapter) record).getInternalObject();
                print("record " + change.getEventName() + " " + change.getDynamodb().getKeys().get("id").getS());
            }
            checkpoint(input.getCheckpointer());
        }

        @Override
        public void shutdownRequested(com.amazonaws.services.kinesis.clientlibrary.interfaces.IRecordProcessorCheckpointer checkpointer) {
            checkpoint(checkpointer);
        }

        @Override
        public void shutdown(ShutdownInput input) {
            print("end " + input.getShutdownReason());
            if (input.getShutdownReason() == ShutdownReason.TERMINATE) {
                checkpoint(input.getCheckpointer());
            }
        }

        private void checkpoint(com.amazonaws.services.kinesis.clientlibrary.interfaces.IRecordProcessorCheckpointer checkpointer) {
            try {
                checkpointer.checkpoint();
            } catch (Exception error) {
                print("no checkpoint: " + error);
            }
        }

        private void print(String what) {
            System.out.println(shard + " " + what);
        }
    }
}
