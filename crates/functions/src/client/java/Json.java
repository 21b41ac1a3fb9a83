package millstream.runtime;

import java.math.BigDecimal;
import java.math.BigInteger;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** JSON texts as maps, lists, strings, numbers and booleans, and back. */
final class Json {
    private static final int DEPTH_MAX = 500;

    private final String text;
    private int at;
    private int depth;

    private Json(String text) {
        this.text = text;
    }

    static Object parse(String text) {
        Json json = new Json(text);
        Object value = json.value();
        json.space();
        if (json.at < text.length()) throw json.malformed();
        return value;
    }

    private IllegalArgumentException malformed() {
        return new IllegalArgumentException("Malformed JSON at character " + at);
    }

    private void space() {
        while (at < text.length() && " \t\r\n".indexOf(text.charAt(at)) >= 0) at++;
    }

    private boolean take(char wanted) {
        space();
        if (at >= text.length() || text.charAt(at) != wanted) return false;
        at++;
        return true;
    }

    private Object value() {
        space();
        if (at >= text.length() || ++depth > DEPTH_MAX) throw malformed();
        char first = text.charAt(at);
        Object value = first == '{' ? object() : first == '[' ? array() : first == '"' ? string() : word();
        depth--;
        return value;
    }

    private Map<String, Object> object() {
        Map<String, Object> members = new LinkedHashMap<>();
        at++;
        if (take('}')) return members;
        do {
            space();
            if (at >= text.length() || text.charAt(at) != '"') throw malformed();
            String name = string();
            if (!take(':')) throw malformed();
            members.put(name, value());
        } while (take(','));
        if (!take('}')) throw malformed();
        return members;
    }

    private List<Object> array() {
        List<Object> values = new ArrayList<>();
        at++;
        if (take(']')) return values;
        do {
            values.add(value());
        } while (take(','));
        if (!take(']')) throw malformed();
        return values;
    }

    private String string() {
        StringBuilder read = new StringBuilder();
        at++;
        for (; at < text.length(); at++) {
            char next = text.charAt(at);
            if (next == '"') {
                at++;
                return read.toString();
            }
            if (next != '\\') {
                read.append(next);
                continue;
            }
            if (++at >= text.length()) break;
            char escaped = text.charAt(at);
            int plain = "\"\\/bfnrt".indexOf(escaped);
            if (plain >= 0) {
                read.append("\"\\/\b\f\n\r\t".charAt(plain));
            } else if (escaped == 'u' && at + 4 < text.length()) {
                read.append((char) Integer.parseInt(text.substring(at + 1, at + 5), 16));
                at += 4;
            } else {
                break;
            }
        }
        throw malformed();
    }

    private Object word() {
        int from = at;
        while (at < text.length() && ",]} \t\r\n".indexOf(text.charAt(at)) < 0) at++;
        String word = text.substring(from, at);
        switch (word) {
            case "null": return null;
            case "true": return true;
            case "false": return false;
            default:
        }
        try {
            if (word.matches("-?\\d+")) {
                BigInteger number = new BigInteger(word);
                if (number.bitLength() < 32) return number.intValue();
                return number.bitLength() < 64 ? (Object) number.longValue() : number;
            }
            return new BigDecimal(word).doubleValue();
        } catch (NumberFormatException error) {
            at = from;
            throw malformed();
        }
    }

    /** Writes what {@link Binder#plain} leaves. */
    static void write(Object value, StringBuilder out) {
        if (value instanceof Map) {
            String before = "{";
            if (((Map<?, ?>) value).isEmpty()) out.append('{');
            for (Map.Entry<?, ?> member : ((Map<?, ?>) value).entrySet()) {
                out.append(before);
                string(String.valueOf(member.getKey()), out);
                out.append(':');
                write(member.getValue(), out);
                before = ",";
            }
            out.append('}');
        } else if (value instanceof List) {
            String before = "[";
            if (((List<?>) value).isEmpty()) out.append('[');
            for (Object element : (List<?>) value) {
                out.append(before);
                write(element, out);
                before = ",";
            }
            out.append(']');
        } else if (value instanceof String) {
            string((String) value, out);
        } else {
            out.append(value);
        }
    }

    private static void string(String text, StringBuilder out) {
        out.append('"');
        for (int i = 0; i < text.length(); i++) {
            char next = text.charAt(i);
            int known = "\"\\\b\f\n\r\t".indexOf(next);
            if (known >= 0) out.append('\\').append("\"\\bfnrt".charAt(known));
            else if (next < ' ') out.append(String.format("\\u%04x", (int) next));
            else out.append(next);
        }
        out.append('"');
    }
}
