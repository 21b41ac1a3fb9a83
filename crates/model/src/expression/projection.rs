//! Projections: which parts of an item to give back.

use super::bind::{Bound, Placeholders, Scope, roots, sealed::Compiled};
use super::error::{ExpressionError, Parameter, collision, undefined_name};
use super::parse::Parser;
use super::path::{self, Collision, Path, Resolved};
use super::token::Kind;
use crate::{Item, View};

/// Which parts of an item to give back.
#[derive(Debug)]
pub struct Projection {
    placeholders: Placeholders,
    paths: Box<[Path]>,
}

impl Projection {
    pub fn compile(text: &str) -> Result<Projection, ExpressionError> {
        let mut parser = Parser::new(Parameter::Projection, text)?;
        parser.path()?;
        while parser.accept(',') {
            parser.path()?;
        }
        parser.expect(Kind::End)?;
        parser.check_names()?;
        Ok(Projection { placeholders: parser.placeholders, paths: parser.paths.into() })
    }
}

impl Compiled for Projection {
    /// The paths in order.
    type Ready = Box<[u32]>;

    fn placeholders(&self) -> &Placeholders {
        &self.placeholders
    }

    fn check(&self, scope: Scope<'_>) -> Result<Box<[u32]>, ExpressionError> {
        if let Some(name) = scope.undefined_name() {
            return Err(Parameter::Projection.error(undefined_name(name)));
        }
        let paths: Vec<Resolved<'_>> = self.paths.iter().map(|path| scope.path(path)).collect();
        let order = path::sorted(paths.iter().copied());
        check_collisions(Parameter::Projection, &paths, &order)?;
        Ok(order)
    }
}

/// No path may name what another one names too.
pub(super) fn check_collisions(
    parameter: Parameter,
    paths: &[Resolved<'_>],
    order: &[u32],
) -> Result<(), ExpressionError> {
    match path::collision(paths, order) {
        None => Ok(()),
        Some((Collision::Overlap, one, two)) => Err(parameter.error(collision("overlap", one, two))),
        Some((Collision::Conflict, one, two)) => Err(parameter.error(collision("conflict", one, two))),
    }
}

impl Bound<Projection> {
    /// The parts of the item that the projection names, in their parents' shape.
    pub fn project(&self, item: View<'_>) -> Result<Item, ExpressionError> {
        let paths: Vec<Resolved<'_>> = self.paths().collect();
        Ok(path::project(&paths, &self.ready, item)?)
    }

    /// The attributes that the projection names, in the order of their names, if it takes all of each. Then it can
    /// be done while reading an item, without building one.
    pub fn whole_attributes(&self) -> Option<impl Iterator<Item = &str>> {
        let nested = self.paths().any(Resolved::is_nested);
        (!nested)
            .then(|| self.ready.iter().map(|at| self.scope().path(&self.program.paths[*at as usize]).root()))
    }

    /// The attributes that the projection looks at, and whether it looks inside them.
    pub fn roots(&self) -> impl Iterator<Item = (&str, bool)> {
        roots(self.paths())
    }

    fn paths(&self) -> impl Iterator<Item = Resolved<'_>> {
        self.program.paths.iter().map(|path| self.scope().path(path))
    }
}
