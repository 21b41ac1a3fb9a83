use crate::Error;
use crate::engine::View;
pub(crate) fn read_counter(_view: &dyn View, _key: &[u8]) -> Result<i64, Error> {
    unimplemented!()
}
