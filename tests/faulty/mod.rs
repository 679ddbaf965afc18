//! A device that fails: it computes as the processor does, to the bit, and from one evaluation on only says why it cannot.
#![allow(dead_code, reason = "each test program uses its own part")]

use holdfast_model::{
    ModelConfig,
    engine::{Cpu, DeviceFault, Engine},
    kernel::{Crew, Precision},
    weights::Weights,
};

/// See the module.
#[derive(Debug)]
pub struct Faulty {
    cpu: Cpu,
    crew: Crew,
    evaluations_left: usize,
}

impl Faulty {
    pub const NAME: &str = "vulkan (a card that comes loose)";

    pub fn after(evaluations: usize, config: &ModelConfig, weights: &Weights) -> Box<dyn Engine> {
        let cpu = Cpu::new(config, weights.clone());
        Box::new(Faulty { cpu, crew: Crew::new(1), evaluations_left: evaluations })
    }

    /// One that does not fail, and rounds nothing to bf16.
    pub fn never_in_f32(config: &ModelConfig, weights: &Weights) -> Box<dyn Engine> {
        let cpu = Cpu::with_precision(config, weights.clone(), Precision::F32);
        Box::new(Faulty { cpu, crew: Crew::new(1), evaluations_left: usize::MAX })
    }
}

impl Engine for Faulty {
    fn name(&self) -> &str {
        Faulty::NAME
    }

    fn precision(&self) -> &'static str {
        self.cpu.precision().name()
    }

    fn evaluate(&mut self, pixels: &[f32], condition: &[f32]) -> Result<(), DeviceFault> {
        let left = self.evaluations_left.checked_sub(1);
        self.evaluations_left = left.ok_or_else(|| DeviceFault::new(Faulty::NAME, "\n  device lost\n  at line 7"))?;
        self.cpu.evaluate(pixels, condition, &self.crew);
        Ok(())
    }

    fn output(&self) -> &[f32] {
        self.cpu.output()
    }
}
