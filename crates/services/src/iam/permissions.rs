//! The policies that concern an identity, read for a decision.

use super::policy::Policy;
use super::user::key;
use super::{Iam, Role};
use access::Identity;
use access::policy::{Document, Policies};
use std::collections::BTreeMap;
use wire::ServiceError;

impl Iam {
    /// What a user or a role may by its own policies and those of the groups it is in. Nobody that is gone may anything.
    pub fn policies_of(&self, identity: &Identity) -> Result<Policies, ServiceError> {
        match identity {
            Identity::Root { .. } => Ok(Policies { is_root: true, ..Policies::default() }),
            Identity::User { account, name, .. } => match self.users.get(&key(account, name))? {
                Some(user) => {
                    let mut policies = self.gather(&user.attached, &user.inline, user.boundary.as_deref())?;
                    for group in self.groups_of(account, &user)? {
                        policies.identity.extend(self.gather(&group.attached, &group.inline, None)?.identity);
                    }
                    Ok(policies)
                }
                None => Ok(Policies::default()),
            },
            Identity::Role { role, policy, .. } => {
                let found = self.role_of(&role.account, &role.name)?;
                let mut policies = match found {
                    Some(role) => self.gather(&role.attached, role.inline(), role.boundary())?,
                    None => Policies::default(),
                };
                policies.session = policy.as_deref().map(readable);
                Ok(policies)
            }
        }
    }

    /// Whom a role trusts.
    pub fn trust_of(&self, account: &str, name: &str) -> Result<Option<Document>, ServiceError> {
        Ok(self.role_of(account, name)?.map(|role| readable(role.trust())))
    }

    /// The tags that conditions see.
    pub fn tags_of(&self, identity: &Identity) -> Result<BTreeMap<String, String>, ServiceError> {
        Ok(match identity {
            Identity::Root { .. } => BTreeMap::new(),
            Identity::User { account, name, .. } => {
                self.users.get(&key(account, name))?.map(|user| user.tags).unwrap_or_default()
            }
            Identity::Role { role, .. } => {
                self.role_of(&role.account, &role.name)?.map(|role| role.tags().clone()).unwrap_or_default()
            }
        })
    }

    fn role_of(&self, account: &str, name: &str) -> Result<Option<Role>, ServiceError> {
        self.roles.get(&key(account, name))
    }

    fn gather(
        &self,
        attached: &[String],
        inline: &BTreeMap<String, String>,
        boundary: Option<&str>,
    ) -> Result<Policies, ServiceError> {
        let mut identity: Vec<Document> = inline.values().map(|text| readable(text)).collect();
        for arn in attached {
            identity.extend(self.document_of(arn)?);
        }
        let boundary = match boundary {
            // A boundary that is gone bounds everything.
            Some(arn) => Some(self.document_of(arn)?.unwrap_or_default()),
            None => None,
        };
        Ok(Policies { identity, boundary, ..Policies::default() })
    }

    fn document_of(&self, arn: &str) -> Result<Option<Document>, ServiceError> {
        let found = match Policy::managed(arn) {
            Some(policy) => Some(policy),
            None => self.policies.get(arn)?,
        };
        Ok(found.map(|policy| readable(policy.document())))
    }
}

/// A document that was kept and cannot be read says nothing.
fn readable(text: &str) -> Document {
    Document::parse(text).unwrap_or_default()
}
