package millstream.runtime;

import java.lang.reflect.Array;
import java.lang.reflect.Constructor;
import java.lang.reflect.Field;
import java.lang.reflect.Method;
import java.lang.reflect.Modifier;
import java.lang.reflect.ParameterizedType;
import java.lang.reflect.Type;
import java.math.BigDecimal;
import java.math.BigInteger;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.Base64;
import java.util.Collection;
import java.util.Date;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;

/** Values of JSON as what a handler's parameter asks for: by setters, fields, and constructors of records. */
final class Binder {
    private static final String EVENTS = "com.amazonaws.services.lambda.runtime.events.";

    private Binder() {}

    static Object bind(Object value, Type type) throws ReflectiveOperationException {
        Class<?> raw = Types.raw(type);
        if (raw == Optional.class) return Optional.ofNullable(value == null ? null : bind(value, argument(type, 0)));
        if (value == null || raw == Object.class) return value;
        if (value instanceof Number || value instanceof Boolean || value instanceof String) return scalar(value, raw);
        if (value instanceof List) return list((List<?>) value, type, raw);
        Map<?, ?> members = (Map<?, ?>) value;
        if (Map.class.isAssignableFrom(raw)) {
            Map<Object, Object> map = instance(raw, LinkedHashMap::new);
            for (Map.Entry<?, ?> member : members.entrySet()) {
                map.put(bind(member.getKey(), argument(type, 0)), bind(member.getValue(), argument(type, 1)));
            }
            return map;
        }
        if (raw == String.class || raw.isPrimitive() || raw.isArray() || Collection.class.isAssignableFrom(raw)) {
            throw mismatch("an object", raw);
        }
        Constructor<?> record = Types.record(raw);
        if (record != null) return record(members, raw, record);
        Object made = raw.getDeclaredConstructor().newInstance();
        for (Map.Entry<?, ?> member : members.entrySet()) set(made, String.valueOf(member.getKey()), member.getValue());
        return made;
    }

    private static IllegalArgumentException mismatch(Object found, Class<?> wanted) {
        return new IllegalArgumentException("Cannot make a " + wanted.getName() + " of " + found);
    }

    private static Type argument(Type type, int index) {
        if (!(type instanceof ParameterizedType)) return Object.class;
        Type[] all = ((ParameterizedType) type).getActualTypeArguments();
        return index < all.length ? all[index] : Object.class;
    }

    private interface Make<T> {
        T make();
    }

    @SuppressWarnings("unchecked")
    private static <T> T instance(Class<?> raw, Make<? extends T> otherwise) throws ReflectiveOperationException {
        if (raw.isInterface() || Modifier.isAbstract(raw.getModifiers())) return otherwise.make();
        return (T) raw.getDeclaredConstructor().newInstance();
    }

    private static Object list(List<?> values, Type type, Class<?> raw) throws ReflectiveOperationException {
        if (raw.isArray()) {
            Object array = Array.newInstance(raw.getComponentType(), values.size());
            for (int i = 0; i < values.size(); i++) Array.set(array, i, bind(values.get(i), raw.getComponentType()));
            return array;
        }
        if (!Iterable.class.isAssignableFrom(raw)) throw mismatch("a list", raw);
        Make<Collection<Object>> make = Set.class.isAssignableFrom(raw) ? LinkedHashSet::new : ArrayList::new;
        Collection<Object> made = instance(raw, make);
        for (Object value : values) made.add(bind(value, argument(type, 0)));
        return made;
    }

    private static Object scalar(Object value, Class<?> raw) throws ReflectiveOperationException {
        if (raw.isInstance(value)) return value;
        String text = String.valueOf(value);
        if (raw == String.class || raw == CharSequence.class) return text;
        if (raw == boolean.class || raw == Boolean.class) return Boolean.valueOf(text);
        if (raw == char.class || raw == Character.class) return text.charAt(0);
        if (raw.isPrimitive() || Number.class.isAssignableFrom(raw)) {
            BigDecimal number = new BigDecimal(text);
            if (raw == int.class || raw == Integer.class) return number.intValue();
            if (raw == long.class || raw == Long.class) return number.longValue();
            if (raw == double.class || raw == Double.class) return number.doubleValue();
            if (raw == float.class || raw == Float.class) return number.floatValue();
            if (raw == short.class || raw == Short.class) return number.shortValue();
            if (raw == byte.class || raw == Byte.class) return number.byteValue();
            if (raw == BigInteger.class) return number.toBigInteger();
            return number;
        }
        if (raw == Date.class && value instanceof Number) return new Date(((Number) value).longValue());
        if (raw == byte[].class) return Base64.getDecoder().decode(text);
        if (raw == ByteBuffer.class) return ByteBuffer.wrap(Base64.getDecoder().decode(text));
        if (raw.isEnum()) {
            for (Object constant : raw.getEnumConstants()) {
                if (((Enum<?>) constant).name().equals(text) || constant.toString().equals(text)) return constant;
            }
            throw mismatch(text, raw);
        }
        // Times and the like know their own spelling.
        for (Method method : raw.getMethods()) {
            boolean parses = method.getName().equals("parse") && Modifier.isStatic(method.getModifiers());
            if (parses && method.getParameterCount() == 1 && method.getParameterTypes()[0].isInstance(text)) {
                return method.invoke(null, text);
            }
        }
        try {
            return raw.getConstructor(String.class).newInstance(text);
        } catch (NoSuchMethodException error) {
            throw mismatch(text, raw);
        }
    }

    private static Object record(Map<?, ?> members, Class<?> raw, Constructor<?> constructor)
            throws ReflectiveOperationException {
        List<String> names = Types.components(raw);
        Type[] types = constructor.getGenericParameterTypes();
        Object[] values = new Object[types.length];
        for (int i = 0; i < types.length; i++) {
            Object value = members.get(names.get(i));
            boolean absent = value == null && Types.raw(types[i]).isPrimitive();
            values[i] = absent ? Array.get(Array.newInstance(Types.raw(types[i]), 1), 0) : bind(value, types[i]);
        }
        constructor.setAccessible(true);
        return constructor.newInstance(values);
    }

    /** The setter of this name, whatever its capitals; of several the one that takes the value. Else a public field. */
    private static void set(Object made, String name, Object value) throws ReflectiveOperationException {
        RuntimeException refused = null;
        List<Method> setters = new ArrayList<>();
        for (Method method : made.getClass().getMethods()) {
            if (method.getParameterCount() != 1 || method.isBridge()) continue;
            if (!method.getName().equalsIgnoreCase("set" + name)) continue;
            boolean natural = value != null && method.getParameterTypes()[0].isInstance(value);
            setters.add(natural ? 0 : setters.size(), method);
        }
        for (Method setter : setters) {
            try {
                Type type = Types.resolve(setter.getGenericParameterTypes()[0], made.getClass(), setter.getDeclaringClass());
                Object given = value;
                if (Types.raw(type) == Date.class && value instanceof Number && made.getClass().getName().startsWith(EVENTS)) {
                    // Records of streams tell seconds.
                    given = (long) (((Number) value).doubleValue() * 1000);
                }
                setter.invoke(made, bind(given, type));
                return;
            } catch (IllegalArgumentException error) {
                refused = error;
            }
        }
        if (refused != null) throw refused;
        for (Field field : made.getClass().getFields()) {
            if (!field.getName().equalsIgnoreCase(name) || Modifier.isFinal(field.getModifiers())) continue;
            field.set(made, bind(value, field.getGenericType()));
            return;
        }
    }
}
