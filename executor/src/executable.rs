//! Compiled programs: compile once, run many times.

use crate::arguments::{Argument, Inputs, Output, Outputs};
use crate::block::{Blocks, Store, Vectors};
use crate::error::{CompileError, RunError, Stop};
use crate::frame::{Frame, extent};
use crate::fuse::fuse;
use crate::indices::look;
use crate::lines::at_line;
use crate::loops::verify::verify;
use crate::loops::{Buffer, BufferId, Check, CheckId, Element, Int, LoopProgram, RelId, Role};
use crate::members::{asked, points};
use crate::native::{Code, Interrupted, NativeError};
use crate::private;
use crate::runner::{Runner, Vars};
use crate::scalar::Scalar;
use crate::team::Team;
use crate::{Engine, Fusion, Options, Report, lower};
use iverson_spec::call::{
    Bound, CallError, Dense, Limits, Relation, Value, Values, bind, entries, extent_value, within,
};
use iverson_spec::ir::{Element as Sorted, Param, TensorId};
use iverson_spec::ssa::TensorSsa;
use rayon::{ThreadPool, ThreadPoolBuilder, max_num_threads};
use smallvec::SmallVec;
use std::fmt;
use std::num::NonZero;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

/// A compiled program with the memory of its runs.
///
/// Clone it to run in several places at once.
#[derive(Clone, Debug)]
pub struct Executable<S> {
    source: TensorSsa,
    program: LoopProgram,
    /// The relations that membership is asked of.
    asked: Vec<RelId>,
    blocks: Blocks,
    native: Code<S>,
    options: Options,
    /// The threads asked for, if not those that the machine has.
    pool: Option<Arc<ThreadPool>>,
    cancelled: Arc<AtomicBool>,
    vectors: Vectors,
    /// The memory of the block engine.
    store: Store<S>,
    /// What the last call was bound to.
    bound: Option<Bound>,
    /// The index inputs that a call has looked at, and whether their entries ascend.
    ascend: Vec<(TensorId, bool)>,
    /// By relation: the one of the last call, whose tuples are within its box under the sizes of that call.
    relations: Vec<Option<Relation>>,
    /// By buffer: memory for temporaries.
    reals: Vec<Vec<S>>,
    ints: Vec<Vec<i64>>,
    sizes: Vec<i64>,
    vars: Vars<S>,
    frame: Frame<S>,
    progress: Progress,
}

/// What the memory for results holds.
#[derive(Clone, Copy)]
enum Given {
    Anything,
    Zeros,
}

/// Who is told how far a run is.
#[derive(Clone)]
struct Progress(Arc<Report>);

impl fmt::Debug for Progress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Progress")
    }
}

/// Compiles a program for numbers of type `S`.
///
/// * **Cost**: some microseconds for each term.
///
/// # Errors
/// [`CompileError`] where a user's function is more than one formula, or the native engine is
/// asked for and there is no C compiler, or the threads asked for cannot be had.
pub fn compile<S: Scalar>(
    program: &TensorSsa,
    options: Options,
) -> Result<Executable<S>, CompileError> {
    let loops = lower(program).map_err(|function| CompileError::NotAFormula { function })?;
    check(&loops, "lower");
    let loops = match options.fusion {
        Fusion::On => fuse(loops),
        Fusion::Off => loops,
    };
    check(&loops, "fuse");
    Ok(Executable {
        pool: pool(options.threads)?.map(Arc::new),
        source: program.clone(),
        reals: vec![Vec::new(); loops.buffers.len()],
        ints: vec![Vec::new(); loops.buffers.len()],
        blocks: Blocks::new(&loops, matches!(options.engine, Engine::Block | Engine::Auto)),
        native: Code::new(options.engine, &loops)?,
        asked: asked(&loops),
        program: loops,
        options,
        cancelled: Arc::default(),
        vectors: Vectors::default(),
        store: Store::default(),
        bound: None,
        ascend: Vec::new(),
        relations: vec![None; program.symbols.relations.len()],
        sizes: Vec::new(),
        vars: Vars::default(),
        frame: Frame::new(),
        progress: Progress(Arc::new(|_, _| {})),
    })
}

/// Threads of its own for a program that asks for more than one, beside the caller's.
fn pool(threads: Option<NonZero<usize>>) -> Result<Option<ThreadPool>, CompileError> {
    let Some(wanted) = threads.map(NonZero::get).filter(|wanted| *wanted > 1) else {
        return Ok(None);
    };
    let refused = |reason: String| CompileError::Threads { wanted, reason };
    if wanted > max_num_threads() {
        return Err(refused(format!("at most {} can run at once", max_num_threads())));
    }
    let pool = ThreadPoolBuilder::new().num_threads(wanted - 1).build();
    pool.map(Some).map_err(|error| refused(error.to_string()))
}

/// Every pass returns a program that is valid.
fn check(program: &LoopProgram, pass: &str) {
    if cfg!(debug_assertions)
        && let Err(violation) = verify(program)
    {
        unreachable!("`{pass}` of `{}`: {violation}\n{program}", program.name);
    }
}

impl<S: Scalar> Executable<S> {
    /// The loops that are run.
    #[must_use]
    pub fn loops(&self) -> &LoopProgram {
        &self.program
    }

    /// Set it to true, from any thread, to end the run in progress with an error, after the parts of loops that are under way.
    #[must_use]
    pub fn cancel(&self) -> Arc<AtomicBool> {
        Arc::clone(&self.cancelled)
    }

    /// Has `report` told how far each later run is.
    pub fn report_to(&mut self, report: Arc<Report>) {
        self.progress = Progress(report);
    }

    /// How the block engine runs loops in lanes.
    pub fn vectors(&mut self) -> &mut Vectors {
        &mut self.vectors
    }

    /// The points visited by the last run of the plain runner, by statement in the order of
    /// [`LoopProgram::statements`].
    #[must_use]
    pub fn visits(&self) -> &[u64] {
        &self.vars.visits
    }

    /// The shapes of the results, by name in order, for these arguments.
    ///
    /// # Errors
    /// [`RunError::Call`] if the arguments are not as declared.
    pub fn shapes(&mut self, inputs: &Inputs<'_, S>) -> Result<Vec<(&str, &[usize])>, RunError> {
        self.bind(inputs)?;
        let shapes = self.bound.as_ref().map_or(&[][..], |bound| &bound.shapes);
        let shape = |tensor: &TensorId| {
            let shape = shapes[tensor.index()].as_deref().unwrap_or_default();
            (self.source.symbols.tensor(*tensor).name.as_str(), shape)
        };
        Ok(self.source.results.iter().map(shape).collect())
    }

    /// Runs the program on `inputs`; the results go to `outputs`.
    ///
    /// * **Shapes**: as [`Executable::shapes`] says; sizes may be left out where shapes determine them.
    /// * **Memory**: the second and later calls at the same sizes allocate nothing for tensors.
    ///
    /// # Errors
    /// [`RunError`]; the outputs are then undefined.
    pub fn run(
        &mut self,
        inputs: &Inputs<'_, S>,
        outputs: &mut Outputs<'_, S>,
    ) -> Result<(), RunError> {
        self.run_in(inputs, outputs, Given::Anything)
    }

    fn run_in(
        &mut self,
        inputs: &Inputs<'_, S>,
        outputs: &mut Outputs<'_, S>,
        given: Given,
    ) -> Result<(), RunError> {
        self.bind(inputs)?;
        let mut frame = std::mem::take(&mut self.frame);
        // the block engine's program has all buffers of the other ones
        frame.lay_out(self.blocks.program(), &self.sizes);
        let native = self.native.serves(self.options.engine, &self.program, &self.sizes);
        let left = self.check_memory(&frame, native)?;
        self.give(&mut frame, inputs, outputs)?;
        if !native {
            self.give_copies(&mut frame);
        }
        if let Given::Zeros = given {
            let outputs = |(_, buffer): &(usize, &Buffer)| buffer.role == Role::Output;
            let buffers = self.program.buffers.iter().enumerate().filter(outputs);
            buffers.for_each(|(at, _)| frame.is_zero(BufferId(at as u32)));
        }
        // copies of sums take no more than the buffers
        let room = self.set_members(&mut frame, left).min(self.options.memory - left);
        self.cancelled.store(false, Ordering::Relaxed);
        self.vars.reset(self.blocks.program());
        let progress = self.progress.clone();
        let report = &*progress.0;
        let outcome = match self.options.engine {
            Engine::Runner => self.run_plain(&frame, report),
            Engine::Native | Engine::Auto if native => self.run_native(&frame, room, report),
            Engine::Block | Engine::Native | Engine::Auto => {
                let threads = self.threads();
                let Self { blocks, vars, cancelled, pool, vectors, store, .. } = self;
                let how = (Team { threads, pool: pool.as_deref(), room }, *vectors, &*store);
                blocks.run(&frame, vars, cancelled, how, report)
            }
        };
        let outcome = outcome.map_err(|stop| self.explain(stop, &frame));
        self.frame = frame;
        outcome
    }

    /// Native code knows only that something is wrong; the plain runner then tells what is.
    fn run_native(&mut self, frame: &Frame<S>, room: u64, report: &Report) -> Result<(), Stop> {
        let team = Team { threads: self.threads(), pool: self.pool.as_deref(), room };
        match self.native.run(frame, &self.cancelled, team, report) {
            Ok(()) => Ok(()),
            Err(Interrupted::Cancelled) => Err(Stop::Cancelled),
            Err(Interrupted::Failed) => self.run_plain(frame, &|_, _| {}),
        }
    }

    /// Why [`Engine::Auto`] does without native code, after a call that would have paid for it.
    #[must_use]
    pub fn note(&self) -> Option<&NativeError> {
        self.native.note()
    }

    fn run_plain(&mut self, frame: &Frame<S>, report: &Report) -> Result<(), Stop> {
        let Self { program, vars, cancelled, .. } = self;
        let mut runner = Runner { program, frame, vars };
        for (done, node) in program.body.iter().enumerate() {
            if cancelled.load(Ordering::Relaxed) {
                return Err(Stop::Cancelled);
            }
            runner.node(node)?;
            report(done + 1, program.body.len());
        }
        Ok(())
    }

    fn threads(&self) -> usize {
        self.options.threads.map_or_else(rayon::current_num_threads, NonZero::get)
    }

    /// Runs the program on values and returns its results by name in order.
    ///
    /// # Errors
    /// As [`Executable::run`].
    pub fn call(&mut self, inputs: &Values<S>) -> Result<Values<S>, RunError> {
        let inputs = Inputs::from(inputs);
        let shapes = self.shapes(&inputs)?;
        let shapes: Vec<(String, Vec<usize>)> =
            shapes.into_iter().map(|(name, shape)| (name.to_owned(), shape.to_vec())).collect();
        let mut results: Values<S> = shapes
            .into_iter()
            .zip(&self.source.results)
            .map(|((name, shape), tensor)| {
                let count = entries(&shape).unwrap_or(0);
                let value = match self.source.symbols.tensor(*tensor).element {
                    Sorted::Real => Value::Real(Dense { shape, data: vec![S::default(); count] }),
                    Sorted::Index(_) => Value::Index(Dense { shape, data: vec![0; count] }),
                };
                (name, value)
            })
            .collect();
        let outputs = results.iter_mut().map(|(name, value)| {
            let output = match value {
                Value::Real(x) => Output::Real(&mut x.data),
                Value::Index(p) => Output::Index(&mut p.data),
                Value::Size(_) | Value::Relation(_) => unreachable!("results are tensors"),
            };
            (name.as_str(), output)
        });
        let mut outputs = Outputs(outputs.collect());
        // large ones are pages that the system gives cleared, when they are first touched
        self.run_in(&inputs, &mut outputs, Given::Zeros)?;
        Ok(results)
    }

    // Binding.

    /// Checks the arguments. Where sizes and shapes are those of the last call, the entries alone, and those of other
    /// relations than it had.
    fn bind(&mut self, inputs: &Inputs<'_, S>) -> Result<(), RunError> {
        if let Some(ascend) = self.bound.as_ref().and_then(|bound| self.look_at(bound, inputs)) {
            self.ascend = ascend;
        } else {
            self.bound = None;
            self.ascend.clear();
            let values = hollow(inputs);
            let bound = bind(&self.source, &values, Limits { bytes: u64::MAX })?;
            self.bound = Some(bound);
        }
        let Some(bound) = &self.bound else { return Ok(()) };
        self.sizes.clone_from(&bound.sizes);
        for (row, kept) in self.source.symbols.relations.iter().zip(&mut self.relations) {
            *kept = match inputs.get(&row.name) {
                Some(Argument::Relation(given)) => Some((*given).clone()),
                Some(Argument::Size(_) | Argument::Real(..) | Argument::Index(..)) | None => None,
            };
            self.sizes.push(kept.as_ref().map_or(0, |relation| relation.len() as i64));
        }
        Ok(())
    }

    /// Which indices ascend, if the arguments are as declared under sizes that are already known.
    fn look_at(&self, bound: &Bound, inputs: &Inputs<'_, S>) -> Option<Vec<(TensorId, bool)>> {
        let mut ascend = Vec::new();
        let symbols = &self.source.symbols;
        let team = Team { threads: self.threads(), pool: self.pool.as_deref(), room: 0 };
        let count = self.source.params.iter().filter(|p| !matches!(p, Param::Size(_))).count();
        let given = inputs.0.iter().filter(|(_, a)| !matches!(a, Argument::Size(_))).count();
        let sizes = inputs.0.iter().all(|(name, argument)| match argument {
            Argument::Size(n) => {
                let at = symbols.sizes.iter().position(|size| size == name);
                at.is_some_and(|at| i64::try_from(*n) == Ok(bound.sizes[at]))
            }
            Argument::Real(..) | Argument::Index(..) | Argument::Relation(_) => true,
        });
        let fits = |param: &Param| match *param {
            Param::Size(_) => true,
            Param::Tensor(tensor) => {
                let row = symbols.tensor(tensor);
                let declared = bound.shapes[tensor.index()].as_deref();
                match (inputs.get(&row.name), &row.element) {
                    (Some(Argument::Real(shape, data)), Sorted::Real) => {
                        Some(*shape) == declared && entries(shape) == Some(data.len())
                    }
                    (Some(Argument::Index(shape, data)), Sorted::Index(limit)) => {
                        let limit = extent_value(limit, &bound.sizes).unwrap_or(0);
                        Some(*shape) == declared && entries(shape) == Some(data.len()) && {
                            let looked = look(data, limit, team);
                            ascend.push((tensor, looked.ascend));
                            looked.within
                        }
                    }
                    _ => false,
                }
            }
            Param::Relation(relation) => {
                let row = symbols.relation(relation);
                let Some(Argument::Relation(given)) = inputs.get(&row.name) else { return false };
                let kept = self.relations[relation.index()].as_ref();
                let extent = |extent| extent_value(extent, &bound.sizes).unwrap_or(0);
                kept.is_some_and(|kept| kept.is_same(given))
                    || given.arity() == row.extents.len() && {
                        let extents: SmallVec<[i64; 4]> = row.extents.iter().map(extent).collect();
                        given.outside(&extents).is_none()
                    }
            }
        };
        (count == given && sizes && self.source.params.iter().all(fits)).then_some(ascend)
    }

    /// The bytes that the buffers, and the copies that the engine makes, leave of the limit. Each thread has a copy of what
    /// is local to iterations. What is left says how loops are cut, so it is the same for any number of threads: what the
    /// threads leave that share a loop with other copies.
    fn check_memory(&self, frame: &Frame<S>, native: bool) -> Result<u64, CallError> {
        let (mut total, limit) = (0_u64, self.options.memory);
        let mut add = |buffer: &Buffer, extents: &[i64]| {
            let shape: Vec<usize> = extents.iter().map(|n| *n as usize).collect();
            let each = if buffer.element == Element::Real { S::BYTES } else { 8 };
            let bytes = entries(&shape).and_then(|n| (n as u64).checked_mul(each));
            let sum = bytes.and_then(|bytes| total.checked_add(bytes));
            total = within(&buffer.name, &shape, sum, limit)?;
            Ok::<_, CallError>(())
        };
        for (at, buffer) in self.program.buffers.iter().enumerate() {
            add(buffer, frame.extents(BufferId(at as u32)))?;
        }
        let code = self.native.copies().filter(|_| native);
        for buffer in code.chain(self.blocks.copies().iter().filter(|_| !native)) {
            let extents = buffer.extents.iter().map(|e| extent(e, &self.sizes).max(0));
            add(buffer, &extents.collect::<SmallVec<[i64; 4]>>())?;
        }
        let plain = self.options.engine == Engine::Runner || self.threads() == 1;
        let copies = if plain { 0 } else { self.threads() };
        let mut each = 0_u64;
        for (at, buffer) in self.program.buffers.iter().enumerate() {
            if buffer.role == Role::Local {
                let extents = frame.extents(BufferId(at as u32));
                (0..copies).try_for_each(|_| add(buffer, extents))?;
                each += extents.iter().product::<i64>() as u64 * S::BYTES;
            }
        }
        let left = limit - total + each * copies as u64;
        Ok(left.saturating_sub(each.saturating_mul(private::PARTS as u64)))
    }

    /// Makes the maps of relations, those that `left` bytes have room for; tuples of others are searched for. Those of
    /// the relation of the last call are made already. Gives the bytes that are left then.
    fn set_members(&self, frame: &mut Frame<S>, mut left: u64) -> u64 {
        for relation in &self.asked {
            let table = &self.program.relations[relation.index()];
            let extents: SmallVec<[i64; 4]> =
                table.extents.iter().map(|e| extent(e, &self.sizes)).collect();
            let members = frame.members_mut(*relation);
            let given = self.relations[relation.index()].as_ref();
            match given.and_then(|given| Some((given, points(&extents, given.len())?))) {
                Some((given, points)) if points as u64 <= left => {
                    left -= points as u64;
                    members.fill(&extents, points, given);
                }
                _ => members.clear(),
            }
        }
        left
    }

    /// Gives every buffer its memory.
    fn give(
        &mut self,
        frame: &mut Frame<S>,
        inputs: &Inputs<'_, S>,
        outputs: &mut Outputs<'_, S>,
    ) -> Result<(), RunError> {
        for (table, relation) in self.program.relations.iter().zip(&self.relations) {
            for (place, buffer) in table.coordinates.iter().enumerate() {
                let relation = relation.as_ref();
                frame.give_ints(*buffer, relation.map_or(&[], |relation| relation.column(place)));
                if place == 0 {
                    // tuples are in lexicographic order
                    frame.set_ascends(*buffer, true);
                }
            }
        }
        for (at, buffer) in self.program.buffers.iter().enumerate() {
            let id = BufferId(at as u32);
            let count: i64 = frame.extents(id).iter().product();
            let count = count as usize;
            match (buffer.role, buffer.element) {
                (Role::Input, _) => match inputs.get(&buffer.name) {
                    Some(Argument::Real(_, data)) => frame.give_reals(id, data),
                    Some(Argument::Index(_, data)) => {
                        frame.give_ints(id, data);
                        let tensor = |of: &TensorId| &self.source.symbols.tensor(*of).name;
                        let mut looked = self.ascend.iter();
                        if let Some((_, ascend)) = looked.find(|(of, _)| tensor(of) == &buffer.name)
                        {
                            frame.set_ascends(id, *ascend);
                        }
                    }
                    // a coordinate of a relation
                    Some(Argument::Size(_) | Argument::Relation(_)) | None => {}
                },
                (Role::Output, element) => {
                    give_output(frame, id, &buffer.name, element, count, outputs)?;
                }
                (Role::Temporary | Role::Local, Element::Real) => {
                    let memory = at_line(&mut self.reals[at], count);
                    if cfg!(debug_assertions) {
                        // what is read before it is written then shows
                        memory.fill(S::of(f64::NAN));
                    }
                    frame.give_reals_mut(id, memory);
                }
                (Role::Temporary | Role::Local, Element::Int) => {
                    self.ints[at].resize(count, 0);
                    frame.give_ints_mut(id, &mut self.ints[at]);
                }
            }
        }
        Ok(())
    }

    /// Gives the copies of buffers that the block engine makes their memory.
    fn give_copies(&mut self, frame: &mut Frame<S>) {
        let first = self.program.buffers.len();
        let copies = self.blocks.copies().len();
        self.reals.resize(first + copies, Vec::new());
        for (at, memory) in self.reals.iter_mut().enumerate().skip(first) {
            let id = BufferId(at as u32);
            let count: i64 = frame.extents(id).iter().product();
            frame.give_reals_mut(id, at_line(memory, count as usize));
        }
    }

    /// Says what stopped a run.
    fn explain(&mut self, stop: Stop, frame: &Frame<S>) -> RunError {
        match stop {
            Stop::Cancelled => RunError::Cancelled,
            Stop::Floor(x) => RunError::FloorOutOfRange { value: x.to_string() },
            Stop::Check(check) => self.explain_check(check, frame),
        }
    }

    fn explain_check(&mut self, check: CheckId, frame: &Frame<S>) -> RunError {
        let Self { program, vars, .. } = self;
        let runner = Runner { program, frame, vars };
        let values = |list: &[Int]| -> Vec<i64> {
            list.iter().map(|e| runner.int(e).unwrap_or_default()).collect()
        };
        match &program.checks[check.index()] {
            Check::Requires { clause, condition, point } => RunError::Violated {
                clause: *clause,
                condition: condition.clone(),
                point: point
                    .iter()
                    .map(|(name, var)| (name.clone(), runner.vars.ints[var.index()]))
                    .collect(),
            },
            Check::Sort { tensor, position, value, bound } => RunError::IndexOutOfRange {
                tensor: tensor.clone(),
                position: values(position),
                value: runner.vars.ints[value.index()],
                bound: values(std::slice::from_ref(bound))[0],
            },
            Check::Earlier { tensor, position, read, entry } => RunError::NotYetDefined {
                tensor: tensor.clone(),
                position: values(position),
                read: read.clone(),
                entry: values(entry),
            },
        }
    }
}

/// The arguments with the entries of reals left out: what `bind` looks at.
fn hollow<S>(inputs: &Inputs<'_, S>) -> Values<()> {
    let value = |argument: &Argument<'_, S>| match argument {
        Argument::Size(n) => Value::Size(*n),
        Argument::Real(shape, data) => {
            Value::Real(Dense { shape: shape.to_vec(), data: vec![(); data.len()] })
        }
        Argument::Index(shape, data) => {
            Value::Index(Dense { shape: shape.to_vec(), data: data.to_vec() })
        }
        Argument::Relation(relation) => Value::Relation((*relation).clone()),
    };
    inputs.0.iter().map(|(name, argument)| ((*name).to_owned(), value(argument))).collect()
}

fn give_output<S: Scalar>(
    frame: &mut Frame<S>,
    id: BufferId,
    name: &str,
    element: Element,
    count: usize,
    outputs: &mut Outputs<'_, S>,
) -> Result<(), RunError> {
    let wrong = |sort: &str, length: usize| {
        let wanted = match element {
            Element::Real => format!("{count} reals"),
            Element::Int => format!("{count} indices"),
        };
        let (name, found) = (name.to_owned(), format!("{length} {sort}"));
        Err(RunError::WrongOutput { name, found, wanted })
    };
    match (outputs.get_mut(name), element) {
        (Some(Output::Real(data)), Element::Real) if data.len() == count => {
            frame.give_reals_mut(id, data);
        }
        (Some(Output::Index(data)), Element::Int) if data.len() == count => {
            frame.give_ints_mut(id, data);
        }
        (Some(Output::Real(data)), _) => return wrong("reals", data.len()),
        (Some(Output::Index(data)), _) => return wrong("indices", data.len()),
        (None, _) => {
            return Err(RunError::MissingOutput { name: name.to_owned(), wanted: count });
        }
    }
    Ok(())
}
