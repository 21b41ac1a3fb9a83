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
                // Only what comes with the call has a limit of its own.
                self.house.object(&place, UNPACKED_BYTES_MAX).await.map_err(not_fetched)?
            }
            (None, None, Some(zip)) => {
                let zip = wire::base64::decode(zip).map_err(|_| unreadable())?;
                if zip.len() > ZIP_BYTES_MAX {
                    let message = format!("Zipped size must be smaller than {ZIP_BYTES_MAX} bytes");
                    return Err(ServiceError::new("RequestEntityTooLargeException", message).with_status(413));
                }
                zip
            }
            _ => return Err(invalid("Please provide a source for function code.")),
        };
        let functions = self.functions.clone();
        let put = tokio::task::spawn_blocking(move || functions.put_code(&zip)).await;
        match put {
            Ok(Ok(code)) => Ok(code),
            Ok(Err(PackageError::Unreadable(_))) => Err(unreadable()),
            Ok(Err(PackageError::TooLarge)) => Err(too_large()),
            Ok(Err(error @ PackageError::Io(_))) => Err(servicekit::documents::unavailable(error)),
            Err(_) => Err(servicekit::documents::unavailable("the package could not be unpacked")),
        }
    }
}

/// What a package may come to when it is unpacked.
pub(super) const UNPACKED_BYTES_MAX: u64 = 262_144_000;

fn too_large() -> ServiceError {
    invalid(format!("Unzipped size must be smaller than {UNPACKED_BYTES_MAX} bytes"))
}

fn not_fetched(error: ServiceError) -> ServiceError {
    if error.name() == "InvalidRequest" {
        return too_large();
    }
    let message = error.message.as_deref().unwrap_or_default();
    invalid(format!(
        "Error occurred while GetObject. S3 Error Code: {}. S3 Error Message: {message}",
        error.name()
    ))
}

fn unreadable() -> ServiceError {
    invalid("Could not unzip uploaded file. Please check your file, then try to upload again.")
}
