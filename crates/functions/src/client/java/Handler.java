package millstream.runtime;

import com.amazonaws.services.lambda.runtime.Context;
import com.amazonaws.services.lambda.runtime.RequestHandler;
import com.amazonaws.services.lambda.runtime.RequestStreamHandler;
import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.InputStream;
import java.io.OutputStream;
import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Method;
import java.lang.reflect.Modifier;
import java.lang.reflect.Type;
import java.nio.charset.StandardCharsets;

/** The handler as it is named: `package.Class` or `package.Class::method`. */
final class Handler {
    private final Method method;
    private final Object target;
    private final Class<?> type;

    private Handler(Class<?> type, Method method, Object target) {
        this.type = type;
        this.method = method;
        this.target = target;
        method.setAccessible(true);
    }

    static Handler load(String name) throws ReflectiveOperationException {
        int colons = name.indexOf("::");
        String className = colons < 0 ? name : name.substring(0, colons);
        Class<?> type;
        try {
            type = Class.forName(className);
        } catch (ClassNotFoundException error) {
            throw new ClassNotFoundException("Class not found: " + className);
        }
        boolean known = RequestHandler.class.isAssignableFrom(type) || RequestStreamHandler.class.isAssignableFrom(type);
        if (colons < 0 && !known) {
            throw new ClassNotFoundException("Class " + className + " does not implement an appropriate handler interface");
        }
        String methodName = colons < 0 ? "handleRequest" : name.substring(colons + 2);
        Method found = null;
        for (Method method : type.getMethods()) {
            if (!method.getName().equals(methodName) || method.isBridge() || !fits(method)) continue;
            if (found == null || weight(method) > weight(found)) found = method;
        }
        if (found == null) {
            throw new NoSuchMethodException("No public method named " + methodName
                + " with appropriate method signature found on class " + className);
        }
        Object target = null;
        if (!Modifier.isStatic(found.getModifiers())) {
            try {
                target = type.getConstructor().newInstance();
            } catch (NoSuchMethodException error) {
                throw new NoSuchMethodException("Class " + className + " has no public zero-argument constructor");
            }
        }
        return new Handler(type, found, target);
    }

    private static boolean fits(Method method) {
        Class<?>[] types = method.getParameterTypes();
        int data = types.length > 0 && types[types.length - 1] == Context.class ? types.length - 1 : types.length;
        return data <= 1 || (data == 2 && types[0] == InputStream.class && types[1] == OutputStream.class);
    }

    /** Of several methods the one with the most parameters counts, and a context for one more. */
    private static int weight(Method method) {
        Class<?>[] types = method.getParameterTypes();
        boolean context = types.length > 0 && types[types.length - 1] == Context.class;
        return types.length * 2 + (context ? 1 : 0);
    }

    byte[] call(byte[] event, Context context) throws Throwable {
        Type[] types = method.getGenericParameterTypes();
        Object[] values = new Object[types.length];
        ByteArrayOutputStream written = null;
        for (int i = 0; i < types.length; i++) {
            Class<?> raw = Types.raw(types[i]);
            if (raw == Context.class) values[i] = context;
            else if (raw == InputStream.class) values[i] = new ByteArrayInputStream(event);
            else if (raw == OutputStream.class) values[i] = written = new ByteArrayOutputStream();
            else values[i] = input(event, Types.resolve(types[i], type, method.getDeclaringClass()));
        }
        Object answer;
        try {
            answer = method.invoke(target, values);
        } catch (InvocationTargetException error) {
            throw error.getCause();
        }
        if (written != null) return written.toByteArray();
        if (method.getReturnType() == void.class) return "null".getBytes(StandardCharsets.UTF_8);
        return Plain.json(answer).getBytes(StandardCharsets.UTF_8);
    }

    private static Object input(byte[] event, Type type) {
        try {
            return Binder.bind(Json.parse(new String(event, StandardCharsets.UTF_8)), type);
        } catch (ReflectiveOperationException | RuntimeException error) {
            throw new RuntimeException("An error occurred during JSON parsing", error);
        }
    }
}
