//! Whether a request may pass, where it comes in.

use crate::dispatch::Inner;
use access::Identity;
use servicekit::Mode;
use servicekit::call::{Call, Caller, Pending};
use wire::{Request, Response, ServiceError};

impl Inner {
    /// Refuses what policies do not allow. Boxed: policies of resources are asked of services.
    pub(crate) fn permit<'a>(
        &'a self,
        call: &'a Call,
        identity: &'a Identity,
    ) -> Pending<'a, Result<(), ServiceError>> {
        Box::pin(async move {
            self.authorize(call, identity).await?;
            self.authorize_trigger(call)
        })
    }

    /// The same of each thing that a call is about.
    pub(crate) fn refusals_of<'a>(
        &'a self,
        call: &'a Call,
        identity: &'a Identity,
    ) -> Pending<'a, Result<Vec<Option<ServiceError>>, ServiceError>> {
        Box::pin(self.refusals(call, identity))
    }

    /// Refuses a request to a function's address that asks for a signature.
    pub(crate) fn permit_url<'a>(
        &'a self,
        request: &'a Request,
        function: &'a str,
    ) -> Pending<'a, Result<(), Response>> {
        Box::pin(async move {
            let refused = |error: ServiceError| {
                let body = serde_json::json!({ "Message": error.message.unwrap_or_default() }).to_string();
                Response::new(403, body).with_header("content-type", "application/json")
            };
            let service = &api::tables::lambda::SERVICE;
            let (scope, identity) = self.gate.admit(self.gate.mode, request, service).map_err(refused)?;
            let Some(identity) = identity.filter(|_| self.gate.mode == Mode::Enforce) else { return Ok(()) };
            let caller = Caller {
                account: self.parts.settings.account.clone(),
                region: self.region(&scope.region),
                access_key: Some(scope.access_key.into()),
            };
            let allowed = self.authorize_url(request, &caller, &identity, function).await;
            allowed.map_err(|_| lambda::url_forbidden())
        })
    }

    /// Refuses a signed call of an API's method, named by its ARN, that may not be made.
    pub(crate) fn permit_api<'a>(
        &'a self,
        request: &'a Request,
        method: &'a str,
    ) -> Pending<'a, Result<(), ServiceError>> {
        Box::pin(async move {
            let (scope, identity) = self.gate.admit(self.gate.mode, request, &apigateway::EXECUTE)?;
            let Some(identity) = identity.filter(|_| self.gate.mode == Mode::Enforce) else { return Ok(()) };
            let caller = Caller {
                account: self.parts.settings.account.clone(),
                region: self.region(&scope.region),
                access_key: Some(scope.access_key.into()),
            };
            self.authorize_api(request, &caller, &identity, method).await
        })
    }
}
