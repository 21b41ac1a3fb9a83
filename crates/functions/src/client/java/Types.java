package millstream.runtime;

import java.lang.reflect.Constructor;
import java.lang.reflect.GenericArrayType;
import java.lang.reflect.Method;
import java.lang.reflect.ParameterizedType;
import java.lang.reflect.Type;
import java.lang.reflect.TypeVariable;
import java.lang.reflect.WildcardType;
import java.util.ArrayList;
import java.util.List;

/** What types stand for: their classes, the values of their variables, the parts of records. */
final class Types {
    private Types() {}

    static Class<?> raw(Type type) {
        if (type instanceof Class) return (Class<?>) type;
        if (type instanceof ParameterizedType) return (Class<?>) ((ParameterizedType) type).getRawType();
        if (type instanceof WildcardType) return raw(((WildcardType) type).getUpperBounds()[0]);
        if (type instanceof TypeVariable) return raw(((TypeVariable<?>) type).getBounds()[0]);
        Class<?> element = raw(((GenericArrayType) type).getGenericComponentType());
        return java.lang.reflect.Array.newInstance(element, 0).getClass();
    }

    /** What a variable of `declaring` stands for in `from`, a class that is one. Other types stay what they are. */
    static Type resolve(Type type, Class<?> from, Class<?> declaring) {
        if (!(type instanceof TypeVariable)) return type;
        Type found = argument(from, declaring, ((TypeVariable<?>) type).getName());
        return found == null ? type : found;
    }

    private static Type argument(Class<?> from, Class<?> declaring, String variable) {
        List<Type> parents = new ArrayList<>();
        if (from.getGenericSuperclass() != null) parents.add(from.getGenericSuperclass());
        for (Type parent : from.getGenericInterfaces()) parents.add(parent);
        for (Type parent : parents) {
            Class<?> raw = raw(parent);
            if (!declaring.isAssignableFrom(raw)) continue;
            Type found = raw == declaring ? named(raw, variable) : argument(raw, declaring, variable);
            if (found instanceof TypeVariable && parent instanceof ParameterizedType) {
                TypeVariable<?>[] variables = raw.getTypeParameters();
                for (int i = 0; i < variables.length; i++) {
                    if (variables[i].getName().equals(((TypeVariable<?>) found).getName())) {
                        return ((ParameterizedType) parent).getActualTypeArguments()[i];
                    }
                }
            }
            return found;
        }
        return null;
    }

    private static Type named(Class<?> declaring, String variable) {
        for (TypeVariable<?> known : declaring.getTypeParameters()) {
            if (known.getName().equals(variable)) return known;
        }
        return null;
    }

    /** A record's constructor; null for what is none. Asked by name, for Java 8 has no records. */
    static Constructor<?> record(Class<?> type) throws ReflectiveOperationException {
        if (type.getSuperclass() == null || !type.getSuperclass().getName().equals("java.lang.Record")) return null;
        Object[] components = (Object[]) Class.class.getMethod("getRecordComponents").invoke(type);
        Class<?>[] types = new Class<?>[components.length];
        for (int i = 0; i < types.length; i++) {
            types[i] = (Class<?>) components[i].getClass().getMethod("getType").invoke(components[i]);
        }
        return type.getDeclaredConstructor(types);
    }

    static List<String> components(Class<?> type) throws ReflectiveOperationException {
        List<String> names = new ArrayList<>();
        for (Object component : (Object[]) Class.class.getMethod("getRecordComponents").invoke(type)) {
            Method name = component.getClass().getMethod("getName");
            names.add((String) name.invoke(component));
        }
        return names;
    }
}
