//! From a request to the service that answers it.

mod storage;

use crate::coding::{self, Coding};
use crate::ecr::Ecr;
use crate::iam::Iam;
use crate::kms::Kms;
use crate::origins::{self, Origins};
use crate::parameters::Parameters;
use crate::secrets::Secrets;
use crate::sns::Sns;
use crate::sqs::{Queues, Sqs};
use crate::sts::Sts;
use access::{Gate, Identity, Keys};
use apigateway::ApiGateway;
use cloudformation::CloudFormation;
use dynamodb::Dynamodb;
use ec2::Ec2;
use engine::Engine;
use feed::Feed;
use functions::Functions;
use lambda::{Lambda, LambdaTargets};
use logs::{LogBook, Logs};
use rds::{Hosts, Rds, RdsData};
use s3::S3;
use servicekit::Mode;
use servicekit::Settings;
use servicekit::body::Whole;
use servicekit::call::{Call, Caller, Pending};
use servicekit::house::House;
use servicekit::ids;
use servicekit::reply::Reply;
use servicekit::vault::Vault;
use std::sync::{Arc, Weak};
use store::Store;
use wire::sigv4::Scope;
use wire::{Request, Response, ServiceError};
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

/// Every AWS service the house speaks, behind one call. Cheap to clone.
#[derive(Clone)]
pub struct Services(pub(crate) Arc<Inner>);

pub(crate) struct Inner {
    pub(crate) parts: Parts,
    pub(crate) gate: Gate,
    origins: Origins,
    dynamodb: Dynamodb,
    lambda: Lambda,
    pub(crate) iam: Iam,
    sts: Sts,
    logs: Logs,
    sqs: Sqs,
    pub(crate) s3: S3,
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

impl Services {
    pub fn new(parts: Parts) -> Services {
        let post = parts.targets.post.clone();
        let keys = Keys::new(&parts.store, &parts.world, &parts.vault, &parts.settings);
        parts.targets.hand_keys(&keys, parts.settings.auth);
        let (store, world, functions) = (parts.store.clone(), parts.world.clone(), parts.functions.clone());
        let (store, world, own) = (&store, &world, functions.endpoint());
        let inner = Arc::new_cyclic(|inner: &Weak<Inner>| {
            let house = House::of(inner.clone());
            let rds = || Rds::new(store, world, &parts.vault, &parts.hosts, house.clone());
            Inner {
                cloudformation: CloudFormation::new(store, world, own, house.clone()),
                apigateway: ApiGateway::new(store, world, own, &parts.targets),
                dynamodb: Dynamodb::new(store, world, &parts.engine, &parts.logs, house.clone()),
                lambda: Lambda::new(store, &parts.targets, &parts.feed, house.clone()),
                iam: Iam::new(&parts, &keys),
                sts: Sts::new(&parts, &keys),
                logs: Logs::over(&parts.logs, world),
                sqs: Sqs::new(&parts.queues),
                sns: Sns::new(&parts),
                secrets: Secrets::new(&parts),
                rds: rds(),
                rds_data: RdsData::new(rds()),
                kms: Kms::new(&parts),
                parameters: Parameters::new(&parts, house.clone()),
                origins: Origins::of(&parts.settings),
                gate: Gate::new(parts.settings.auth, keys, &parts.world),
                s3: S3::over(store, world, parts.settings.objects.as_deref()),
                ecr: Ecr::new(&parts),
                ec2: Ec2::new(store, world, house.clone()),
                parts,
            }
        });
        let household: Weak<Inner> = Arc::downgrade(&inner);
        post.open(household);
        Services(inner)
    }

    /// Answers one request. Never fails: whatever is wrong is told in the form of the service that was asked.
    pub async fn call(&self, request: Request) -> Response {
        self.take(request, self.0.gate.mode).await.whole().await
    }

    /// The same, or the answer of an address; what is still being made follows as it comes.
    pub async fn answer(&self, request: Request) -> Reply {
        if has_own_address(&request)
            && let Some(reply) = self.call_url(&request).await
        {
            return reply;
        }
        if request.method == http::Method::OPTIONS
            && let Some(answer) = self.preflight_of_bucket(&request)
        {
            return answer.into();
        }
        // Boxed: few requests come from one, and every connection would carry the room.
        let page = self.0.origins.welcome(&request).map(Box::new);
        let mut reply: Reply = match page.as_ref().and_then(|_| origins::preflight(&request)) {
            Some(answer) => answer.with_header("x-amzn-requestid", &ids::request(&self.0.parts.world)).into(),
            None => self.take(request, self.0.gate.mode).await,
        };
        if let Some(page) = page {
            origins::open(&mut reply.response, *page);
        }
        reply
    }

    pub(crate) async fn take(&self, request: Request, mode: Mode) -> Reply {
        let inner = &*self.0;
        if self.is_storage(&request) {
            let body = request.body.clone();
            return Box::pin(self.take_storage(request, Box::new(Whole(Some(body))), mode)).await;
        }
        let (service, operation) = match wire::route(&request, api::SERVICES) {
            Ok(route) => (route.service, route.operation),
            Err(unknown) => {
                let answer = coding::healthy(&request);
                return answer
                    .unwrap_or_else(|| unknown.into_response(&ids::request(&inner.parts.world)))
                    .into();
            }
        };
        let is_dynamodb = matches!(service.name, "dynamodb" | "dynamodbstreams");
        let request_id = match is_dynamodb {
            true => ids::request(&inner.parts.world),
            false => inner.parts.world.uuid(),
        };
        let (scope, identity) = match inner.gate.admit(mode, &request, service) {
            Ok(admitted) => admitted,
            Err(error) => return wire::encode_error(service, error, &request_id).into(),
        };
        let caller = inner.caller(scope);
        let wished = if is_dynamodb { Coding::wished(&request) } else { None };
        let request = match if is_dynamodb { coding::unpack(request) } else { Ok(request) } {
            Ok(request) => request,
            Err(error) => return wire::encode_error(service, error, &request_id).into(),
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
        let answer = self.whole(call).await;
        match wished {
            Some(coding) => coding.pack(answer).into(),
            None => answer.into(),
        }
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

    /// Refuses whoever may not see what the server does: where signatures count, that is for keys that are known.
    pub fn check_watches(&self, request: &Request) -> Result<(), String> {
        let gate = &self.0.gate;
        if gate.mode == Mode::Lenient {
            return Ok(());
        }
        let admitted = gate.admit(gate.mode, request, &api::tables::dynamodb::SERVICE);
        admitted.map(|_| ()).map_err(|error| error.message.unwrap_or_default())
    }

    /// The package behind a link that `GetFunction` gave out.
    pub async fn download(&self, path: &str) -> Option<Vec<u8>> {
        self.0.lambda.download(path).await
    }

    /// The answer to a request to a function's or an API's address; None when it is to something else.
    pub fn call_url<'a>(&'a self, request: &'a Request) -> Pending<'a, Option<Reply>> {
        Box::pin(async move {
            let inner = &*self.0;
            if let Some(answer) = inner.cloudformation.take_answer(request) {
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
                return Some(apigateway::forbidden(error).into());
            }
            match inner.lambda.call_url(request).await {
                Some(answer) => Some(answer),
                None => self.0.apigateway.serve(request).await.map(Reply::from),
            }
        })
    }

    #[cfg(test)]
    pub(crate) fn house(&self) -> House {
        House::of(Arc::downgrade(&self.0) as Weak<Inner>)
    }

    #[cfg(test)]
    pub(crate) fn lambda(&self) -> &Lambda {
        &self.0.lambda
    }

    /// The tables of a region, for whoever is in this process.
    pub fn tables(&self, region: &str) -> dynamodb::InProcess {
        self.0.dynamodb.in_process(engine::Scope::new(&self.0.parts.settings.account, region))
    }

    /// Every mapping's records and what stands in their way, as JSON; or those of one mapping.
    pub fn triggers(&self, id: Option<&str>) -> String {
        let parts = &self.0.parts;
        lambda::mapping_status(&parts.feed, &parts.world, id).to_string()
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
    pub(crate) fn serve(&self, call: Call) -> Pending<'_> {
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

    /// Who signed so.
    fn caller(&self, scope: Scope<'_>) -> Caller {
        Caller {
            account: self.parts.settings.account.clone(),
            region: self.region(&scope.region),
            access_key: Some(scope.access_key.into()),
        }
    }

    /// The default region is shared rather than copied for every call.
    pub(crate) fn region(&self, named: &str) -> Arc<str> {
        let default = &self.parts.settings.region;
        if named.is_empty() || named == &**default { default.clone() } else { named.into() }
    }
}

/// Whether a request may be to an address of a function's, of an API's or for a custom resource's answer: most are not,
/// and are not asked about any further.
fn has_own_address(request: &Request) -> bool {
    let is_host = |host: &str| {
        let rest = host.split_once('.').map_or("", |(_, rest)| rest);
        rest.starts_with("lambda-url.") || rest.starts_with("execute-api.")
    };
    request.path.starts_with("/_millstream/") || request.header(http::header::HOST).is_some_and(is_host)
}
