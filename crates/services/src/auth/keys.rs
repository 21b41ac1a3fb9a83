//! Which key a call is about, where it does not name it itself.

use super::needs::Need;
use crate::dispatch::Inner;
use serde_json::{Value, json};
use servicekit::call::{Call, Caller};
use servicekit::house::Household;

impl Inner {
    /// An alias stands for its key, and what is sealed for the key that sealed it.
    pub(super) async fn settle_key(&self, call: &Call, input: &Value, need: &mut Need) {
        let is_alias = need.resource.contains(":alias/") && !call.operation.name.ends_with("Alias");
        let (operation, asked, at) = match need.action.as_str() {
            _ if is_alias => ("DescribeKey", json!({ "KeyId": need.resource }), "/KeyMetadata/Arn"),
            "kms:Decrypt" | "kms:ReEncryptFrom" if need.resource == "*" => {
                let context = input.get("EncryptionContext").or_else(|| input.get("SourceEncryptionContext"));
                let mut asked = json!({ "CiphertextBlob": input["CiphertextBlob"] });
                if let Some(context) = context {
                    asked["EncryptionContext"] = context.clone();
                }
                ("Decrypt", asked, "/KeyId")
            }
            _ => return,
        };
        let inside = Caller { access_key: None, ..call.caller.clone() };
        if let Ok(answer) = self.ask(&inside, "kms", operation, asked).await
            && let Some(key) = answer.pointer(at).and_then(Value::as_str)
        {
            need.resource = key.to_owned();
        }
    }
}
