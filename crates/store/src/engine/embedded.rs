use super::{Change, Engine, View};
use crate::{Error, Settings, Space};
pub(crate) struct Embedded;
impl Embedded {
    pub(crate) fn open(_s: &Settings) -> Result<Embedded, Error> {
        unimplemented!()
    }
}
impl Engine for Embedded {
    fn apply(&self, _c: &[Change], _d: bool) -> Result<(), Error> {
        unimplemented!()
    }
    fn sync(&self) -> Result<(), Error> {
        unimplemented!()
    }
    fn view(&self) -> Box<dyn View> {
        unimplemented!()
    }
    fn reclaim(&self, _space: Space, _from: &[u8], _to: &[u8]) -> Result<(), Error> {
        unimplemented!()
    }
}
