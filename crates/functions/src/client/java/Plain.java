package millstream.runtime;

import java.lang.reflect.Array;
import java.lang.reflect.Field;
import java.lang.reflect.Method;
import java.lang.reflect.Modifier;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.Base64;
import java.util.Collection;
import java.util.Date;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;

/** A handler's answer as what JSON knows: by getters and fields. */
final class Plain {
    private static final int DEPTH_MAX = 200;

    private Plain() {}

    static String json(Object value) throws ReflectiveOperationException {
        StringBuilder out = new StringBuilder();
        Json.write(plain(value, 0), out);
        return out.toString();
    }

    private static Object plain(Object value, int depth) throws ReflectiveOperationException {
        if (depth > DEPTH_MAX) throw new IllegalArgumentException("The answer is nested too deep, or contains itself");
        if (value instanceof Optional) return plain(((Optional<?>) value).orElse(null), depth);
        if (value instanceof Double && !Double.isFinite((Double) value)) return value.toString();
        if (value instanceof Float && !Float.isFinite((Float) value)) return value.toString();
        if (value == null || value instanceof Number || value instanceof Boolean || value instanceof String) return value;
        if (value instanceof Date) return ((Date) value).getTime();
        if (value instanceof byte[]) return Base64.getEncoder().encodeToString((byte[]) value);
        if (value instanceof ByteBuffer) {
            ByteBuffer bytes = ((ByteBuffer) value).duplicate();
            byte[] copy = new byte[bytes.remaining()];
            bytes.get(copy);
            return Base64.getEncoder().encodeToString(copy);
        }
        if (value instanceof Map) {
            Map<String, Object> members = new LinkedHashMap<>();
            for (Map.Entry<?, ?> member : ((Map<?, ?>) value).entrySet()) {
                members.put(String.valueOf(member.getKey()), plain(member.getValue(), depth + 1));
            }
            return members;
        }
        if (value instanceof Collection || value.getClass().isArray()) {
            List<Object> elements = new ArrayList<>();
            if (value instanceof Collection) {
                for (Object element : (Collection<?>) value) elements.add(plain(element, depth + 1));
            } else {
                for (int i = 0; i < Array.getLength(value); i++) elements.add(plain(Array.get(value, i), depth + 1));
            }
            return elements;
        }
        String name = value.getClass().getName();
        if (value instanceof Enum || name.startsWith("java.") || name.startsWith("org.joda.")) return value.toString();
        return members(value, depth);
    }

    private static Object members(Object value, int depth) throws ReflectiveOperationException {
        Map<String, Object> members = new TreeMap<>();
        if (Types.record(value.getClass()) != null) {
            members = new LinkedHashMap<>();
            for (String name : Types.components(value.getClass())) {
                Method method = value.getClass().getDeclaredMethod(name);
                method.setAccessible(true);
                members.put(name, plain(method.invoke(value), depth + 1));
            }
            return members;
        }
        for (Field field : value.getClass().getFields()) {
            if (!Modifier.isStatic(field.getModifiers())) members.put(field.getName(), plain(field.get(value), depth + 1));
        }
        for (Method method : value.getClass().getMethods()) {
            String name = property(method);
            if (name == null) continue;
            method.setAccessible(true);
            members.put(name, plain(method.invoke(value), depth + 1));
        }
        return members;
    }

    private static String property(Method method) {
        String name = method.getName();
        boolean asks = method.getParameterCount() == 0 && !Modifier.isStatic(method.getModifiers());
        if (!asks || method.isBridge() || name.equals("getClass") || method.getReturnType() == void.class) return null;
        boolean is = name.startsWith("is") && method.getReturnType() == boolean.class;
        String rest = name.startsWith("get") ? name.substring(3) : is ? name.substring(2) : "";
        return rest.isEmpty() ? null : Character.toLowerCase(rest.charAt(0)) + rest.substring(1);
    }
}
