package example;

import com.amazonaws.services.lambda.runtime.Context;
import com.amazonaws.services.lambda.runtime.RequestHandler;
import com.amazonaws.services.lambda.runtime.RequestStreamHandler;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.util.Date;
import java.util.List;
import java.util.Map;

/** Handlers of every form. */
public class Handlers {
    public static int count = 0;

    public String greet(String name, Context context) {
        context.getLogger().log("two\nlines of \u00e9");
        return "hello " + name + " of " + context.getFunctionName();
    }

    public static Map<String, Object> echo(Map<String, Object> event) {
        event.put("count", ++count);
        return event;
    }

    public int add(List<Integer> numbers) {
        return numbers.stream().mapToInt(Integer::intValue).sum();
    }

    public void nothing() {
        System.out.println("colour " + System.getenv("COLOUR"));
    }

    public String fails(Object event) {
        throw new IllegalStateException("no", new RuntimeException("because"));
    }

    public static class Order {
        private String id;
        private Kind kind;
        private List<Line> lines;
        private Date at;
        public boolean open;

        public String getId() {
            return id;
        }

        public void setId(String id) {
            this.id = id;
        }

        public Kind getKind() {
            return kind;
        }

        public void setKind(Kind kind) {
            this.kind = kind;
        }

        /** The overload that a text is not for. */
        public void setKind(String kind) {
            this.kind = Kind.valueOf(kind.toUpperCase());
        }

        public List<Line> getLines() {
            return lines;
        }

        public void setLines(List<Line> lines) {
            this.lines = lines;
        }

        public Date getAt() {
            return at;
        }

        public void setAt(Date at) {
            this.at = at;
        }
    }

    public enum Kind { FIRST, SECOND }

    public static class Line {
        public double price;
        public Long number;
    }

    abstract static class Base<T> implements RequestHandler<T, T> {
        @Override
        public T handleRequest(T input, Context context) {
            return input;
        }
    }

    public static class Orders extends Base<Order> {
        @Override
        public Order handleRequest(Order order, Context context) {
            order.open = order.getLines().get(0).price > 1;
            return order;
        }
    }

    public static class Stream implements RequestStreamHandler {
        @Override
        public void handleRequest(InputStream in, OutputStream out, Context context) throws IOException {
            for (int next = in.read(); next >= 0; next = in.read()) out.write(Character.toUpperCase(next));
        }
    }

    public static class Broken implements RequestHandler<String, String> {
        public Broken() {
            throw new IllegalArgumentException("not today");
        }

        @Override
        public String handleRequest(String input, Context context) {
            return input;
        }
    }
}
