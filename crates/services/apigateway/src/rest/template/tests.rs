//! Templates, filled in from one small request.

use super::{Facts, Filled, Template};
use serde_json::json;

fn fill(template: &str) -> Filled {
    let parsed = Template::parse(template).unwrap_or_else(|words| panic!("{template}: {words}"));
    parsed.fill(&Facts {
        body: br#"{"a":{"b":["x","it's \"y\""]},"n":1,"list":[{"foo":"bar"}],"deep":{"l":[{"foo":"bar"}],"z":null},"e":[]}"#,
        params: &json!({"path": {"id": "7"}, "querystring": {"q": "par"}, "header": {"X-Who": "me"}}),
        context: &json!({"requestId": "r", "identity": {"sourceIp": "ip"}}),
        stage_variables: Some(&json!({"k": "v"})),
    })
}

fn check(cases: &[(&str, &str)]) {
    for (template, expect) in cases {
        assert_eq!(fill(template).text, *expect, "{template}");
    }
}

#[test]
fn references_are_filled_in() {
    check(&[
        ("{ statusCode: 204 }", "{ statusCode: 204 }"),
        (r#"{"a":$input.json('$.a.b')}"#, r#"{"a":["x","it's \"y\""]}"#),
        ("$input.path('$.a.b[0]')/$input.json('$.n')", "x/1"),
        (r#"$input.params("q")-$input.params('none')."#, "par-."),
        ("$input.params('x-who')$input.params().path.id$input.params().get('header').get('X-Who')", "me7me"),
        ("$context.requestId ${context.identity.sourceIp}.", "r ip."),
        ("$stageVariables.k${stageVariables.k}$!{stageVariables.none}", "vv"),
        ("$util.escapeJavaScript($input.path('$.a.b[1]'))", r#"it\'s \"y\""#),
        ("$util.base64Encode($input.params('q'))", "cGFy"),
        ("$util.urlEncode('a b~*/') $util.urlDecode('a+b%2F')", "a+b%7E*%2F a b/"),
        ("costs $5 and # 1 #endpoint", "costs $5 and # 1 #endpoint"),
        ("$input.json('$.none')", "\"\""),
        ("[$input.path('$.none')$nobody$input.body.none]", "[]"),
    ]);
}

/// [observed: what API Gateway writes of maps, lists and nothing]
#[test]
fn values_are_written_as_the_service_writes_them() {
    check(&[
        ("#set($r = $input.path('$.list'))$r", r#"[{"foo":"bar"}]"#),
        ("#set($r = $input.path('$.list'))$r[0]", "{foo=bar}"),
        ("$input.path('$.deep')", r#"{l=[{"foo":"bar"}], z=null}"#),
        ("#set($r = $input.path('$.n'))$r.toString()", "1"),
        ("#set($r = $input.path('$.no'))#if( $r == $null )1#else 0#end#if( $r == \"\" )1#{else}0#end", "11"),
        ("#set($r = $input.path('$.e'))$r#if($r == $null)1#else0#end#if($r == '')1#{else}0#end", "[]00"),
    ]);
}

#[test]
fn directives_and_operators() {
    check(&[
        ("#set($a = 2)\n#set($b = $a * 3 + 1)\n$b", "7"),
        ("#set($s = \"n is $input.path('$.n')\")$s|#set($t = 'no $a')$t", "n is 1|no $a"),
        ("#if(1 > 2)a#elseif(2 >= 2 && !false)b#{else}c#end", "b"),
        ("#foreach($i in [1..3])$i#if($foreach.hasNext),#end#end", "1,2,3"),
        ("#foreach($i in [3..1])$velocityCount$foreach.index #end", "10 21 32 "),
        ("#foreach($x in ['a','b','c'])#if($x == 'b')#break#end$x#end.", "a."),
        (
            "#set($m = {'k': 1})#set($m.l = 2)$m.put('o', [3])$m $m.keySet()",
            r#"{k=1, l=2, o=[3]} ["k","l","o"]"#,
        ),
        (
            "#set($l = [])#foreach($e in $input.path('$.deep').entrySet())#set($no = $l.add($e.key))#end$l.size() $l",
            "2 [\"l\",\"z\"]",
        ),
        ("#set($j = $util.parseJson('{\"m\":{\"n\":5}}'))$j.m.n", "5"),
        (
            "$input.path('$.a.b')[1].length() #set($t = 'abc')$t.substring(1).toUpperCase() $t.replace('b','-')",
            "8 BC a-c",
        ),
        ("a ## to the line's end\nb#* and within *#c #[[$raw #if]]#", "a bc $raw #if"),
        ("one#stop two", "one"),
    ]);
}

#[test]
fn what_is_set_in_the_context_is_handed_on() {
    let filled = fill(
        "#set($context.responseOverride.status = 444)#set($k = 'foo')#set($context.responseOverride.header[$k] = 'bar')$context.requestOverride.querystring.put('a', 'b')",
    );
    assert_eq!(filled.context["responseOverride"], json!({"header": {"foo": "bar"}, "status": 444}));
    assert_eq!(filled.context["requestOverride"]["querystring"], json!({"a": "b"}));
}

#[test]
fn what_is_not_built_is_refused_by_name() {
    for (template, words) in [
        ("#macro(a)#end", "#macro is not supported"),
        ("a #if(true) b", "#end is missing"),
        ("#end", "#end stands alone"),
        ("$input.size()", "the reference $input.size() is not supported"),
        ("$util.time()", "the reference $util.time() is not supported"),
        ("$a.stream()", "the reference $a.stream() is not supported"),
        ("#set($a = )", "a value is missing before )"),
        ("#set($a.get('b') = 1)", "#set cannot set what a method answers"),
    ] {
        assert_eq!(Template::parse(template), Err(words.to_owned()));
    }
    let deep = format!("#set($a = {}1{})", "(".repeat(100), ")".repeat(100));
    assert_eq!(Template::parse(&deep), Err("the template is nested too deep".to_owned()));
}

#[test]
fn templates_that_grow_for_ever_come_to_an_end() {
    for template in [
        "#set($a = 'xxxxxxxxxxxxxxxx')#foreach($i in [1..1000])#foreach($j in [1..1000])#set($a = $a + $a)#end#end",
        "#set($m = {})#foreach($i in [1..1000])$m.put($i, $m)#end",
        "#set($l = [1])#foreach($i in [1..1000])#set($no = $l.addAll($l))#end",
        "#set($t = 'aaaaaaaa')#foreach($i in [1..1000])#set($t = $t.replace('a', $t))#end",
    ] {
        assert!(fill(template).text.len() < 64 << 20, "{template}");
    }
}
