package millstream.runtime;

import java.io.BufferedInputStream;
import java.io.ByteArrayOutputStream;
import java.io.EOFException;
import java.io.FileDescriptor;
import java.io.FileOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.io.PrintStream;
import java.lang.reflect.InvocationTargetException;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;

/** Runs a Java handler: asks the Runtime API for invocations, answers them, over one kept connection. */
public final class Main {
    private static final String API = "/2018-06-01/runtime/";

    private final InputStream in;
    private final OutputStream out;
    private Map<String, String> headers;

    private Main() throws IOException {
        String[] address = System.getenv("AWS_LAMBDA_RUNTIME_API").split(":");
        Socket socket = new Socket(address[0], Integer.parseInt(address[1]));
        socket.setTcpNoDelay(true);
        in = new BufferedInputStream(socket.getInputStream(), 64 * 1024);
        out = socket.getOutputStream();
    }

    public static void main(String[] arguments) throws IOException {
        // Whatever the machine's locale is.
        System.setOut(new PrintStream(new FileOutputStream(FileDescriptor.out), true, "UTF-8"));
        System.setErr(new PrintStream(new FileOutputStream(FileDescriptor.err), true, "UTF-8"));
        Main main = new Main();
        Handler handler;
        try {
            handler = Handler.load(System.getenv("_HANDLER"));
        } catch (Throwable error) {
            main.tell("init/error", error);
            System.exit(1);
            return;
        }
        while (true) main.serve(handler);
    }

    private void serve(Handler handler) throws IOException {
        byte[] event = call("GET", "invocation/next", new byte[0], "");
        Invocation invocation = new Invocation(headers);
        String trace = headers.get("lambda-runtime-trace-id");
        if (trace != null) System.setProperty("com.amazonaws.xray.traceHeader", trace);
        String target = "invocation/" + invocation.getAwsRequestId();
        byte[] answer;
        try {
            answer = handler.call(event, invocation);
        } catch (Throwable error) {
            tell(target + "/error", error);
            if (error instanceof VirtualMachineError) System.exit(1);
            return;
        }
        System.out.flush();
        System.err.flush();
        call("POST", target + "/response", answer, "");
    }

    /** Every request is one write. */
    private byte[] call(String method, String target, byte[] body, String more) throws IOException {
        String head = method + " " + API + target + " HTTP/1.1\r\nHost: runtime\r\nContent-Length: " + body.length
            + "\r\n" + more + "\r\n";
        ByteArrayOutputStream request = new ByteArrayOutputStream(head.length() + body.length);
        request.write(head.getBytes(StandardCharsets.ISO_8859_1));
        request.write(body, 0, body.length);
        request.writeTo(out);
        line();
        headers = new LinkedHashMap<>();
        for (String line = line(); !line.isEmpty(); line = line()) {
            int colon = line.indexOf(':');
            headers.put(line.substring(0, colon).toLowerCase(Locale.ROOT), line.substring(colon + 1).trim());
        }
        byte[] answer = new byte[Integer.parseInt(headers.getOrDefault("content-length", "0"))];
        for (int read = 0; read < answer.length;) {
            int count = in.read(answer, read, answer.length - read);
            if (count < 0) throw new EOFException();
            read += count;
        }
        return answer;
    }

    private String line() throws IOException {
        ByteArrayOutputStream line = new ByteArrayOutputStream();
        for (int next = in.read(); next != '\n'; next = in.read()) {
            if (next < 0) throw new EOFException();
            if (next != '\r') line.write(next);
        }
        return new String(line.toByteArray(), StandardCharsets.UTF_8);
    }

    /** Tells an error to the log and to whoever waits. */
    private void tell(String target, Throwable thrown) throws IOException {
        Throwable error = thrown;
        if (error instanceof ExceptionInInitializerError || error instanceof InvocationTargetException) {
            error = error.getCause() == null ? error : error.getCause();
        }
        StringBuilder document = new StringBuilder();
        Json.write(document(error, 0), document);
        StringBuilder log = new StringBuilder(error.getMessage() == null ? "" : error.getMessage());
        log.append(": ").append(error.getClass().getName()).append('\r').append(error);
        for (StackTraceElement frame : frames(error)) log.append("\r\tat ").append(frame);
        System.out.println(log.toString().replace('\n', '\r'));
        System.out.flush();
        String kind = error.getClass().getName();
        call("POST", target, document.toString().getBytes(StandardCharsets.UTF_8),
            "Content-Type: application/json\r\nLambda-Runtime-Function-Error-Type: " + kind + "\r\n");
    }

    private static Map<String, Object> document(Throwable error, int depth) {
        Map<String, Object> told = new LinkedHashMap<>();
        told.put("errorMessage", error.getMessage());
        told.put("errorType", error.getClass().getName());
        List<Object> trace = new ArrayList<>();
        for (StackTraceElement frame : frames(error)) trace.add(frame.toString());
        told.put("stackTrace", trace);
        if (error.getCause() != null && error.getCause() != error && depth < 10) {
            told.put("cause", document(error.getCause(), depth + 1));
        }
        return told;
    }

    /** The function's own frames: what called it is of no use to its author. */
    private static List<StackTraceElement> frames(Throwable error) {
        List<StackTraceElement> frames = new ArrayList<>();
        for (StackTraceElement frame : error.getStackTrace()) {
            if (frame.getClassName().startsWith("millstream.runtime.")) break;
            frames.add(frame);
        }
        while (!frames.isEmpty() && frames.get(frames.size() - 1).getClassName().matches("(java|jdk|sun)\\..*reflect\\..*")) {
            frames.remove(frames.size() - 1);
        }
        return frames;
    }
}
