//! Handlers of Node.js, and what they answer.

use super::{House, text};
use functions::{FunctionConfig, Runtime};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn node_handlers_of_every_style() {
    const CODE: &str = r#"
exports.later = async (event) => ({ got: event.n });
exports.back = (event, context, callback) => setTimeout(() => callback(null, { back: event.n }), 5);
exports.flows = awslambda.streamifyResponse(async (event, stream) => {
  stream = awslambda.HttpResponseStream.from(stream, { statusCode: 201 });
  stream.write('part 1 ');
  setTimeout(() => stream.end('part 2'), 5);
  await new Promise((done) => stream.on('finish', done));
});
exports.breaks = awslambda.streamifyResponse(async (event, stream) => { stream.write('x'); throw new Error('midway'); });
exports.fails = async () => { console.log('two\nlines'); throw new TypeError('no'); };
exports.silent = (event, context, callback) => {};
exports.returns = () => ({ not: 'an answer' });
exports.both = async (event, context, callback) => { callback(null, 'called'); return 'returned'; };
exports.never = async () => new Promise(() => {});
exports.refuses = () => Promise.reject();
exports.empty = (event, context, callback) => callback('');
exports.foreign = async () => { const error = new Error('m'); error.name = 'Ünï\r\nX: ☃'; throw error; };
exports.bare = async () => { throw Object.create(null); };
exports.circle = async () => { const circle = {}; circle.circle = circle; return circle; };
"#;
    let house = House::new();
    let files = [("index.js", CODE), ("esm.mjs", "export const handler = async () => 'esm';")];
    let base = house.function("nodejs20.x", "index.later", &files);
    let with =
        |handler: &str| FunctionConfig { handler: handler.into(), revision: handler.into(), ..base.clone() };
    for (handler, expected) in
        [("index.later", r#"{"got":7}"#), ("index.back", r#"{"back":7}"#), ("esm.handler", r#""esm""#)]
    {
        let config = with(handler);
        for _ in 0..2 {
            let outcome = house.invoke(&config, r#"{"n":7}"#).await;
            assert_eq!(text(&outcome), expected, "{handler}");
        }
    }
    // Nothing is left behind by an invocation.
    for _ in 0..12 {
        house.invoke(&with("index.later"), "{}").await;
    }
    assert!(!house.log().contains("Warning"), "{}", house.log());
    // What is no answer, or cannot be one.
    for (handler, expected) in [
        ("index.silent", "null"),
        ("index.returns", "null"),
        ("index.both", r#""called""#),
        ("index.never", "Runtime.NodeJsExit"),
        ("index.refuses", r#""errorMessage":"handled""#),
        ("index.empty", r#"{"errorType":"string","errorMessage":"","trace":[]}"#),
        ("index.circle", "Unable to stringify response body"),
        ("index.foreign", r#"{"errorType":"Ünï\r\nX: ☃","errorMessage":"m","trace":["#),
        ("index.bare", r#"{"errorType":"handled","errorMessage":"callback called with"#),
    ] {
        let config = with(handler);
        for _ in 0..2 {
            let outcome = house.invoke(&config, "{}").await;
            let is_error = !matches!(expected, "null" | r#""called""#);
            assert!(outcome.failed == is_error, "{handler}: {}", text(&outcome));
            assert!(text(&outcome).contains(expected), "{handler}: {}", text(&outcome));
        }
    }
    // From 24 on there are no callbacks, and what a handler returns is its answer.
    let newest = Runtime::parse("nodejs24.x").expect("a runtime");
    for (handler, expected) in [
        ("index.later", "{}"),
        ("index.returns", r#"{"not":"an answer"}"#),
        ("index.never", "Runtime.NodeJsExit"),
        ("index.back", "Runtime.CallbackHandlerDeprecated"),
    ] {
        let revision = format!("{handler} of 24");
        let config = FunctionConfig { runtime: newest, revision, ..with(handler) };
        let outcome = house.invoke(&config, "{}").await;
        assert!(text(&outcome).contains(expected), "{handler}: {}", text(&outcome));
    }
    let failed = house.invoke(&with("index.fails"), "{}").await;
    assert!(
        failed.failed
            && text(&failed).starts_with(r#"{"errorType":"TypeError","errorMessage":"no","trace":["#)
    );
    assert!(house.log().contains("\tINFO\ttwo\nlines\n"), "{}", house.log());
    let streamed = house.invoke(&with("index.flows"), r#"{"n":3}"#).await;
    assert_eq!(text(&streamed), "{\"statusCode\":201}\0\0\0\0\0\0\0\0part 1 part 2");
    let broken = house.invoke(&with("index.breaks"), "{}").await;
    assert!(broken.failed && text(&broken).contains(r#""errorMessage":"midway""#), "{}", text(&broken));
    let missing = house.invoke(&with("index.nothing"), "{}").await;
    assert!(text(&missing).contains("Runtime.HandlerNotFound"), "{}", text(&missing));
    let unknown = house.invoke(&with("other.handler"), "{}").await;
    assert!(text(&unknown).contains("Runtime.ImportModuleError"), "{}", text(&unknown));
}
