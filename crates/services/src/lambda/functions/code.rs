//! A function's code, as it comes with a call.

use super::Functions;
use crate::lambda::name::invalid;
use ::functions::{Code, PackageError, ZIP_BYTES_MAX};
use serde_json::Value;
use wire::ServiceError;

impl Functions {
    /// Unpacks the package a call brought: its own bytes, for there is no S3 to fetch it from.
    pub(super) async fn put_code(&self, code: &Value) -> Result<Code, ServiceError> {
        if code.get("ImageUri").is_some() {
            return Err(invalid(
                "ImageUri is not supported: functions run without containers; upload a zip file.",
            ));
        }
        if code.get("S3Bucket").is_some() || code.get("S3Key").is_some() {
            return Err(invalid(
                "Error occurred while GetObject. S3 Error Code: NoSuchBucket. S3 Error Message: The specified bucket does not exist",
            ));
        }
        let Some(text) = code.get("ZipFile").and_then(Value::as_str) else {
            return Err(invalid("Please provide a source for function code."));
        };
        let zip = wire::base64::decode(text).map_err(|_| unreadable())?;
        if zip.len() > ZIP_BYTES_MAX {
            let message = format!("Zipped size must be smaller than {ZIP_BYTES_MAX} bytes");
            return Err(ServiceError::new("RequestEntityTooLargeException", message).with_status(413));
        }
        let functions = self.functions.clone();
        let put = tokio::task::spawn_blocking(move || functions.put_code(&zip)).await;
        match put {
            Ok(Ok(code)) => Ok(code),
            Ok(Err(PackageError::Unreadable(_))) => Err(unreadable()),
            Ok(Err(PackageError::TooLarge)) => {
                Err(invalid("Unzipped size must be smaller than 262144000 bytes"))
            }
            Ok(Err(error @ PackageError::Io(_))) => Err(crate::documents::unavailable(error)),
            Err(_) => Err(crate::documents::unavailable("the package could not be unpacked")),
        }
    }
}

fn unreadable() -> ServiceError {
    invalid("Could not unzip uploaded file. Please check your file, then try to upload again.")
}
