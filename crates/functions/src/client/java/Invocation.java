package millstream.runtime;

import com.amazonaws.services.lambda.runtime.Client;
import com.amazonaws.services.lambda.runtime.ClientContext;
import com.amazonaws.services.lambda.runtime.CognitoIdentity;
import com.amazonaws.services.lambda.runtime.Context;
import com.amazonaws.services.lambda.runtime.LambdaLogger;
import java.nio.charset.StandardCharsets;
import java.util.LinkedHashMap;
import java.util.Map;

/** What a handler is told of its invocation. */
final class Invocation implements Context {
    private final Map<String, String> headers;
    private final long deadlineMs;

    Invocation(Map<String, String> headers) {
        this.headers = headers;
        this.deadlineMs = Long.parseLong(headers.getOrDefault("lambda-runtime-deadline-ms", "0"));
    }

    @Override
    public String getAwsRequestId() {
        return headers.get("lambda-runtime-aws-request-id");
    }

    @Override
    public String getLogGroupName() {
        return System.getenv("AWS_LAMBDA_LOG_GROUP_NAME");
    }

    @Override
    public String getLogStreamName() {
        return System.getenv("AWS_LAMBDA_LOG_STREAM_NAME");
    }

    @Override
    public String getFunctionName() {
        return System.getenv("AWS_LAMBDA_FUNCTION_NAME");
    }

    @Override
    public String getFunctionVersion() {
        return System.getenv("AWS_LAMBDA_FUNCTION_VERSION");
    }

    @Override
    public String getInvokedFunctionArn() {
        return headers.get("lambda-runtime-invoked-function-arn");
    }

    @Override
    public int getMemoryLimitInMB() {
        return Integer.parseInt(System.getenv("AWS_LAMBDA_FUNCTION_MEMORY_SIZE"));
    }

    @Override
    public int getRemainingTimeInMillis() {
        return (int) Math.max(deadlineMs - System.currentTimeMillis(), 0);
    }

    private Map<?, ?> members(String header) {
        String text = headers.get(header);
        Object value = text == null ? null : Json.parse(text);
        return value instanceof Map ? (Map<?, ?>) value : null;
    }

    private static Map<String, String> texts(Object value) {
        Map<String, String> texts = new LinkedHashMap<>();
        if (value instanceof Map) ((Map<?, ?>) value).forEach((name, text) -> texts.put(String.valueOf(name), String.valueOf(text)));
        return texts;
    }

    @Override
    public CognitoIdentity getIdentity() {
        Map<String, String> identity = texts(members("lambda-runtime-cognito-identity"));
        return new CognitoIdentity() {
            @Override
            public String getIdentityId() {
                return identity.get("cognitoIdentityId");
            }

            @Override
            public String getIdentityPoolId() {
                return identity.get("cognitoIdentityPoolId");
            }
        };
    }

    @Override
    public ClientContext getClientContext() {
        Map<?, ?> context = members("lambda-runtime-client-context");
        if (context == null) return null;
        Map<String, String> client = texts(context.get("client"));
        return new ClientContext() {
            @Override
            public Client getClient() {
                return client.isEmpty() ? null : new Caller(client);
            }

            @Override
            public Map<String, String> getCustom() {
                return texts(context.get("custom"));
            }

            @Override
            public Map<String, String> getEnvironment() {
                return texts(context.get("env"));
            }
        };
    }

    private static final class Caller implements Client {
        private final Map<String, String> told;

        Caller(Map<String, String> told) {
            this.told = told;
        }

        @Override
        public String getInstallationId() {
            return told.get("installation_id");
        }

        @Override
        public String getAppTitle() {
            return told.get("app_title");
        }

        @Override
        public String getAppVersionName() {
            return told.get("app_version_name");
        }

        @Override
        public String getAppVersionCode() {
            return told.get("app_version_code");
        }

        @Override
        public String getAppPackageName() {
            return told.get("app_package_name");
        }
    }

    @Override
    public LambdaLogger getLogger() {
        return new LambdaLogger() {
            /** One event: line ends inside it become carriage returns. */
            @Override
            public void log(String text) {
                String told = String.valueOf(text);
                System.out.println((told.endsWith("\n") ? told.substring(0, told.length() - 1) : told).replace('\n', '\r'));
            }

            @Override
            public void log(byte[] text) {
                log(new String(text, StandardCharsets.UTF_8));
            }
        };
    }
}
