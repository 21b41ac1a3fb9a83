//! A function's code, as it comes with a call.

use super::Functions;
use crate::name::invalid;
use ::functions::{Code, PackageError, ZIP_BYTES_MAX};
use serde_json::Value;
use servicekit::fields::text;
use servicekit::house::Object;
use wire::ServiceError;

impl Functions {
    /// Unpacks the package a call brought, or names.
    pub(super) async fn put_code(&self, code: &Value) -> Result<Code, ServiceError> {
        if code.get("ImageUri").is_some() {
            return Err(invalid(
                "ImageUri is not supported: functions run without containers; upload a zip file.",
            ));
        }
        let zip = match (text(code, "S3Bucket"), text(code, "S3Key"), text(code, "ZipFile")) {
            (Some(bucket), Some(key), None) => {
                let place = Object { bucket, key, version: text(code, "S3ObjectVersion") };
                self.house.object(&place, ZIP_BYTES_MAX as u64).await.map_err(not_fetched)?
            }
            (None, None, Some(zip)) => wire::base64::decode(zip).map_err(|_| unreadable())?,
            _ => return Err(invalid("Please provide a source for function code.")),
        };
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
            Ok(Err(error @ PackageError::Io(_))) => Err(servicekit::documents::unavailable(error)),
            Err(_) => Err(servicekit::documents::unavailable("the package could not be unpacked")),
        }
    }
}

fn not_fetched(error: ServiceError) -> ServiceError {
    let message = error.message.as_deref().unwrap_or_default();
    invalid(format!(
        "Error occurred while GetObject. S3 Error Code: {}. S3 Error Message: {message}",
        error.name()
    ))
}

fn unreadable() -> ServiceError {
    invalid("Could not unzip uploaded file. Please check your file, then try to upload again.")
}
