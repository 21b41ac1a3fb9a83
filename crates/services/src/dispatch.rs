//! From a request to the service that answers it.

use crate::apigateway::ApiGateway;
use crate::auth::{Gate, Identity, Keys, Mode};
use crate::call::{Answer, Call, Caller, Inside, Pending};
use crate::cloudformation::{CloudFormation, Expected};
use crate::documents::unavailable;
use crate::dynamodb::Dynamodb;
use crate::ec2::Ec2;
use crate::ecr::Ecr;
use crate::iam::Iam;
use crate::kms::Kms;
use crate::lambda::{Lambda, LambdaTargets};
use crate::logs::{LogBook, Logs};
use crate::parameters::Parameters;
use crate::rds::{Hosts, Rds};
use crate::rds_data::RdsData;
use crate::reply::{Reply, Tail};
use crate::s3::{self, Body, ObjectsHold, S3, Stored, Whole};
use crate::secrets::Secrets;
use crate::sns::Sns;
use crate::sqs::{Queues, Sqs};
use crate::sts::Sts;
use crate::vault::Vault;
use engine::Engine;
use feed::Feed;
use functions::Functions;
use serde_json::Value;
use std::sync::{Arc, Mutex, PoisonError, Weak};
use store::Store;
use wire::shape::{Kind, Location};
use wire::{Operation, Request, Response, ServiceError};
use world::World;

/// What the services stand on.
#[derive(Clone)]
pub struct Parts {
    pub world: World,
    pub store: Store,
    pub engine: Arc<Engine>,
    pub functions: Functions,
    /// The functions as targets of mappings; the feed was given the same.
    pub targets: LambdaTargets,
    pub feed: Feed,
    /// Log events; the functions write theirs into it through a `LogQueue`.
    pub logs: LogBook,
    pub queues: Queues,
    /// Seals secrets.
    pub vault: Vault,
    /// Database servers of this machine.
    pub hosts: Hosts,
    pub settings: Settings,
}

#[derive(Clone, Debug)]
pub struct Settings {
    /// The account every caller belongs to.
    pub account: Arc<str>,
    /// The region of calls that name none.
    pub region: Arc<str>,
    /// How much is asked of a caller.
    pub auth: Mode,
    /// The account's own access key and its secret.
    pub root_key: Option<(String, String)>,
    /// Where objects' bytes lie; none for a directory that goes with the server.
    pub objects: Option<std::path::PathBuf>,
}

impl Default for Settings {
    fn default() -> Settings {
        Settings {
            account: "123456789012".into(),
            region: "us-east-1".into(),
            auth: Mode::Lenient,
            root_key: None,
            objects: None,
        }
    }
}

/// Every AWS service the house speaks, behind one call. Cheap to clone.
#[derive(Clone)]
pub struct Services(Arc<Inner>);

pub(crate) struct Inner {
    pub(crate) parts: Parts,
    gate: Gate,
    dynamodb: Dynamodb,
    lambda: Lambda,
    pub(crate) iam: Iam,
    sts: Sts,
    logs: Logs,
    sqs: Sqs,
    s3: S3,
    ecr: Ecr,
    ec2: Ec2,
    cloudformation: CloudFormation,
    sns: Sns,
    secrets: Secrets,
    parameters: Parameters,
    rds: Rds,
    rds_data: RdsData,
    apigateway: ApiGateway,
    kms: Kms,
}

/// The services, as one of them asks another. Does not keep them alive.
#[derive(Clone)]
pub(crate) struct House(Weak<Inner>);

/// An object by its names.
pub(crate) struct Object<'a> {
    pub bucket: &'a str,
    pub key: &'a str,
    pub version: Option<&'a str>,
}

impl House {
    /// A house in which nobody answers.
    #[cfg(test)]
    pub fn empty() -> House {
        House(Weak::new())
    }

    /// Asks as a client would: the same checks, the same answer, no form on the wire. A service may ask itself, so
    /// the future does not show what it is made of.
    pub fn ask<'a>(
        &'a self,
        caller: &'a Caller,
        service: &'a str,
        operation: &'a str,
        input: Value,
    ) -> Pending<'a, Answer> {
        Box::pin(async move {
            let inner = self.0.upgrade().ok_or_else(|| unavailable("the server is being stopped"))?;
            inner.ask(caller, service, operation, input).await
        })
    }

    /// Puts an object whose bytes come as they are made.
    pub fn put_object<'a>(&'a self, caller: &'a Caller, input: Value, body: Body) -> Pending<'a, Answer> {
        Box::pin(async move {
            let inner = self.0.upgrade().ok_or_else(|| unavailable("the server is being stopped"))?;
            inner.ask_storage(caller, "PutObject", input, body).await.map(|(answer, _)| answer)
        })
    }

    /// The bytes of an object, to be read as they are needed.
    pub fn get_object<'a>(
        &'a self,
        caller: &'a Caller,
        input: Value,
    ) -> Pending<'a, Result<Stored, ServiceError>> {
        Box::pin(async move {
            let inner = self.0.upgrade().ok_or_else(|| unavailable("the server is being stopped"))?;
            let (_, tail) = inner.ask_storage(caller, "GetObject", input, Box::new(Whole(None))).await?;
            match tail {
                Some(Tail::Stored(stored)) => Ok(stored),
                _ => Err(unavailable("an object came without its bytes")),
            }
        })
    }

    /// An address of ours for a custom resource's answer.
    pub fn expect(&self) -> Result<Expected, ServiceError> {
        let inner = self.0.upgrade().ok_or_else(|| unavailable("the server is being stopped"))?;
        Ok(inner.cloudformation.answers.expect(inner.parts.functions.endpoint(), &inner.parts.world))
    }

    /// The bytes of an object that a resource is made from; at most so many.
    pub async fn object(&self, place: &Object<'_>, bytes_max: u64) -> Result<Vec<u8>, ServiceError> {
        let inner = self.0.upgrade().ok_or_else(|| unavailable("the server is being stopped"))?;
        inner.s3.read(place.bucket, place.key, place.version, bytes_max).await
    }
}

impl Services {
    pub fn new(parts: Parts) -> Services {
        let post = parts.targets.post.clone();
        let keys = Keys::new(&parts.store, &parts.world, &parts.vault, &parts.settings);
        parts.targets.hand_keys(&keys, parts.settings.auth);
        let inner = Arc::new_cyclic(|house| Inner {
            cloudformation: CloudFormation::new(&parts, House(house.clone())),
            apigateway: ApiGateway::new(&parts),
            dynamodb: Dynamodb::new(&parts, House(house.clone())),
            lambda: Lambda::new(&parts, House(house.clone())),
            iam: Iam::new(&parts, &keys),
            sts: Sts::new(&parts, &keys),
            logs: Logs::new(&parts),
            sqs: Sqs::new(&parts.queues),
            sns: Sns::new(&parts),
            secrets: Secrets::new(&parts),
            rds: Rds::new(&parts, House(house.clone())),
            rds_data: RdsData::new(&parts, House(house.clone())),
            kms: Kms::new(&parts),
            parameters: Parameters::new(&parts, House(house.clone())),
            gate: Gate::new(parts.settings.auth, keys, &parts.world),
            s3: S3::new(&parts),
            ecr: Ecr::new(&parts),
            ec2: Ec2::new(&parts),
            parts,
        });
        post.open(Arc::downgrade(&inner));
        Services(inner)
    }

    pub(crate) fn of(inner: Arc<Inner>) -> Services {
        Services(inner)
    }

    /// Answers one request. Never fails: whatever is wrong is told in the form of the service that was asked.
    pub async fn call(&self, request: Request) -> Response {
        self.take(request, self.0.gate.mode).await.whole().await
    }

    /// The same, or the answer of an address; what is still being made follows as it comes.
    pub async fn answer(&self, request: Request) -> Reply {
        match self.call_url(&request).await {
            Some(reply) => reply,
            None => self.take(request, self.0.gate.mode).await,
        }
    }

    /// The same for a request that one of our own services makes: nobody's signature is checked.
    pub(crate) async fn call_inside(&self, request: Request) -> Response {
        self.take(request, Mode::Lenient).await.whole().await
    }

    async fn take(&self, request: Request, mode: Mode) -> Reply {
        let inner = &*self.0;
        if self.is_storage(&request) {
            let body = request.body.clone();
            return self.take_storage(request, Box::new(Whole(Some(body))), mode).await;
        }
        let request_id = inner.parts.world.uuid();
        let (service, operation) = match wire::route(&request, api::SERVICES) {
            Ok(route) => (route.service, route.operation),
            Err(unknown) => return unknown.into_response(&request_id).into(),
        };
        let (scope, identity) = match inner.gate.admit(mode, &request, service) {
            Ok(admitted) => admitted,
            Err(error) => return wire::encode_error(service, error, &request_id).into(),
        };
        let caller = Caller {
            account: inner.parts.settings.account.clone(),
            region: inner.region(&scope.region),
            access_key: Some(scope.access_key.into()),
        };
        let call = Call { request, service, operation, caller, request_id, inside: None };
        if let (Mode::Enforce, Some(identity)) = (mode, identity)
            && let Err(error) = inner.permit(&call, &identity).await
        {
            return call.refuse(error).into();
        }
        if call.operation.name == "InvokeWithResponseStream" {
            return inner.lambda.stream(call).await;
        }
        inner.serve(call).await.into()
    }

    /// Keeps the files of every object there is, until it is dropped: for a copy of all.
    pub fn hold_objects(&self) -> ObjectsHold {
        self.0.s3.hold_files()
    }

    /// Whether a request is for S3, whose bodies are not collected: its head tells.
    pub fn is_storage(&self, head: &Request) -> bool {
        s3::is_storage(head, |name| self.0.s3.has(name))
    }

    /// Answers a request to S3, whose body comes as it is read, as may the answer's.
    pub async fn call_storage(&self, head: Request, body: Body) -> Reply {
        self.take_storage(head, body, self.0.gate.mode).await
    }

    async fn take_storage(&self, head: Request, body: Body, mode: Mode) -> Reply {
        let inner = &*self.0;
        let request_id = inner.parts.world.uuid();
        let service = &api::tables::s3::SERVICE;
        // The signature is over the path as it came.
        let admitted = match s3::old_link(&head, inner.parts.world.now()) {
            Some(Ok(scope)) if mode != Mode::Lenient => {
                inner.gate.admit_by(scope, |secret| s3::is_signed_with(&head, secret))
            }
            Some(old) => old.map(|scope| (scope, None)),
            None => inner.gate.admit(mode, &head, service),
        };
        let (scope, identity) = match admitted {
            Ok(admitted) => admitted,
            Err(error) => return wire::encode_error(service, error, &request_id).into(),
        };
        let head = s3::lead(head);
        let operation = match wire::route_storage(&head, service) {
            Ok(route) => route.operation,
            Err(unknown) => return unknown.into_response(&request_id).into(),
        };
        let caller = Caller {
            account: inner.parts.settings.account.clone(),
            region: inner.region(&scope.region),
            access_key: Some(scope.access_key.into()),
        };
        let mut call = Call { request: head, service, operation, caller, request_id, inside: None };
        if let (Mode::Enforce, Some(identity)) = (mode, identity) {
            if operation.name == "DeleteObjects" {
                // Which objects are to go is told by the body.
                let taken = inner.s3.take_document(&mut call, body).await;
                let admitted = match taken {
                    Ok(()) => inner.permit(&call, &identity).await,
                    Err(error) => Err(error),
                };
                return match admitted {
                    Ok(()) => inner.s3.call_document(call).await,
                    Err(error) => call.refuse(error).into(),
                };
            }
            if let Err(error) = inner.permit(&call, &identity).await {
                return call.refuse(error).into();
            }
        }
        inner.s3.call(call, body).await
    }

    /// Refuses whoever may not read everything that is kept: where signatures count, that is for keys that are known, and
    /// where policies decide, for the account's own.
    pub fn check_reads_all(&self, request: &Request) -> Result<(), String> {
        let gate = &self.0.gate;
        if gate.mode == Mode::Lenient {
            return Ok(());
        }
        let (_, identity) = gate
            .admit(gate.mode, request, &api::tables::dynamodb::SERVICE)
            .map_err(|error| error.message.unwrap_or_default())?;
        match identity {
            Some(Identity::Root { .. }) => Ok(()),
            Some(_) if gate.mode == Mode::Verify => Ok(()),
            _ => Err("only the account's own key may read everything".to_owned()),
        }
    }

    /// The package behind a link that `GetFunction` gave out.
    pub async fn download(&self, path: &str) -> Option<Vec<u8>> {
        self.0.lambda.download(path).await
    }

    /// The answer to a request to a function's or an API's address; None when it is to something else.
    pub async fn call_url(&self, request: &Request) -> Option<Reply> {
        let inner = &*self.0;
        if let Some(answer) = inner.cloudformation.answers.take(request) {
            return Some(answer.into());
        }
        if inner.gate.mode != Mode::Lenient
            && let Some(function) = inner.lambda.signed_url(request)
            && let Err(refused) = inner.permit_url(request, &function).await
        {
            return Some(refused.into());
        }
        if inner.gate.mode != Mode::Lenient
            && let Some(method) = inner.apigateway.signed(request)
            && let Err(error) = inner.permit_api(request, &method).await
        {
            return Some(crate::apigateway::forbidden(error).into());
        }
        match inner.lambda.call_url(request).await {
            Some(answer) => Some(answer),
            None => self.0.apigateway.serve(request).await.map(Reply::from),
        }
    }

    #[cfg(test)]
    pub(crate) fn house(&self) -> House {
        House(Arc::downgrade(&self.0))
    }

    #[cfg(test)]
    pub(crate) fn lambda(&self) -> &Lambda {
        &self.0.lambda
    }

    /// Every mapping's records and what stands in their way, as JSON; or those of one mapping.
    pub fn triggers(&self, id: Option<&str>) -> String {
        let parts = &self.0.parts;
        crate::lambda::mapping_status(&parts.feed, &parts.world, id).to_string()
    }

    /// Goes on with what a stopped server left unfinished.
    pub fn recover(&self) -> Pending<'_, Result<(), ServiceError>> {
        Box::pin(async {
            self.0.secrets.watch_rotations();
            // A database that does not start keeps no stack waiting.
            let databases = self.0.rds.recover().await;
            let transfers = self.0.dynamodb.recover().await;
            self.0.cloudformation.recover(&self.0.parts.settings.account).await?;
            databases.and(transfers)
        })
    }

    /// Lets work in flight finish, makes every checkpoint durable, and ends the functions' processes.
    pub fn shutdown(&self) -> Pending<'_, ()> {
        Box::pin(async {
            self.0.secrets.stop_rotations();
            self.0.dynamodb.stop();
            self.0.parts.feed.shutdown().await;
            self.0.parts.functions.shutdown().await;
            self.0.rds.stop().await;
        })
    }
}

impl Inner {
    /// Refuses what policies do not allow. Boxed: policies of resources are asked of services.
    fn permit<'a>(&'a self, call: &'a Call, identity: &'a Identity) -> Pending<'a, Result<(), ServiceError>> {
        Box::pin(async move {
            self.authorize(call, identity).await?;
            self.authorize_trigger(call)
        })
    }

    /// Refuses a request to a function's address that asks for a signature.
    fn permit_url<'a>(
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
            self.authorize_url(&caller, &identity, function).await.map_err(refused)
        })
    }

    /// Refuses a signed call of an API's method, named by its ARN, that may not be made.
    fn permit_api<'a>(
        &'a self,
        request: &'a Request,
        method: &'a str,
    ) -> Pending<'a, Result<(), ServiceError>> {
        Box::pin(async move {
            let (scope, identity) = self.gate.admit(self.gate.mode, request, &crate::apigateway::EXECUTE)?;
            let Some(identity) = identity.filter(|_| self.gate.mode == Mode::Enforce) else { return Ok(()) };
            let caller = Caller {
                account: self.parts.settings.account.clone(),
                region: self.region(&scope.region),
                access_key: Some(scope.access_key.into()),
            };
            self.authorize_api(&caller, &identity, method).await
        })
    }

    fn serve(&self, call: Call) -> Pending<'_> {
        match call.service.name {
            "dynamodb" | "dynamodbstreams" => self.dynamodb.call(call),
            "lambda" => self.lambda.call(call),
            "iam" => self.iam.call(call),
            "sts" => self.sts.call(call),
            "logs" => self.logs.call(call),
            "sqs" => self.sqs.call(call),
            "sns" => self.sns.call(call),
            "rds" => self.rds.call(call),
            "rds-data" => self.rds_data.call(call),
            "secretsmanager" => self.secrets.call(call),
            "ssm" => self.parameters.call(call),
            "ecr" => self.ecr.call(call),
            "ec2" => self.ec2.call(call),
            "kms" => self.kms.call(call),
            "s3" => Box::pin(async { self.s3.call(call, Box::new(Whole(None))).await.response }),
            "cloudformation" => self.cloudformation.call(call),
            "apigatewayv2" | "apigateway" => self.apigateway.call(call),
            _ => Box::pin(std::future::ready(call.not_implemented())),
        }
    }

    pub(crate) async fn ask(&self, caller: &Caller, service: &str, operation: &str, input: Value) -> Answer {
        let (call, answer) = self.inside(caller, service, operation, input).await?;
        self.serve(call).await;
        told(&answer)
    }

    /// Asks S3, whose bodies are no members: the body of what is put, and of what is read.
    async fn ask_storage(
        &self,
        caller: &Caller,
        operation: &str,
        input: Value,
        body: Body,
    ) -> Result<(Value, Option<Tail>), ServiceError> {
        let (call, answer) = self.inside(caller, "s3", operation, input).await?;
        let reply = self.s3.call(call, body).await;
        Ok((told(&answer)?, reply.tail))
    }

    /// A call from inside the house that may be made, and the place for its answer.
    async fn inside(
        &self,
        caller: &Caller,
        service: &str,
        operation: &str,
        input: Value,
    ) -> Result<(Call, AnswerPlace), ServiceError> {
        let known = api::SERVICES.iter().find(|known| known.name == service);
        let operation = known.and_then(|known| known.operation(operation)).ok_or_else(|| {
            ServiceError::new("NotImplemented", format!("{service}.{operation} is not implemented"))
        })?;
        let answer = Arc::new(Mutex::new(None));
        let body = serde_json::to_vec(&input).map_err(unavailable)?;
        let request = Request { path: path_of(operation, &input), ..Request::post(body) };
        // What an answer's addresses are made of.
        let host = self.parts.functions.endpoint().trim_start_matches("http://");
        let request = request.with_header("host", host);
        let inside = Some(Inside { input, answer: answer.clone() });
        let (caller, request_id) = (caller.clone(), self.parts.world.uuid());
        let call = Call { request, service: operation.service, operation, caller, request_id, inside };
        // Whom a service asks for may not do through it what he may not do himself.
        let key = call.caller.access_key.clone().filter(|_| self.gate.mode == Mode::Enforce);
        if let Some(known) = key.map(|key| self.gate.keys.find(&key)).transpose()?.flatten() {
            self.permit(&call, &known.identity).await?;
        }
        Ok((call, answer))
    }

    /// The default region is shared rather than copied for every call.
    fn region(&self, named: &str) -> Arc<str> {
        let default = &self.parts.settings.region;
        if named.is_empty() || named == &**default { default.clone() } else { named.into() }
    }
}

type AnswerPlace = Arc<Mutex<Option<Answer>>>;

fn told(place: &AnswerPlace) -> Answer {
    let answer = place.lock().unwrap_or_else(PoisonError::into_inner).take();
    answer.unwrap_or_else(|| Err(unavailable("a service gave no answer")))
}

/// The path a client would use, its labels filled in.
pub(crate) fn path_of(operation: &Operation, input: &Value) -> String {
    let mut path = operation.uri.to_owned();
    let members = match operation.input.map(|shape| &shape.kind) {
        Some(Kind::Structure(structure)) => structure.members,
        _ => &[],
    };
    for member in members.iter().filter(|member| member.location == Location::Uri) {
        let value = input.get(member.name).and_then(Value::as_str).unwrap_or_default();
        for label in [format!("{{{}}}", member.wire_name), format!("{{{}+}}", member.wire_name)] {
            path = path.replace(&label, &wire::percent::encode(value));
        }
    }
    path
}
