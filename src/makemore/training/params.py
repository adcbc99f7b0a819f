"""The hyperparameters of minibatch training, as sections of params.yaml hold them."""

from typing import Annotated, Literal

from pydantic import Field

from makemore.core.params import Section, Seed
from makemore.training.optimizers import OPTIMIZERS
from makemore.training.schedule import SCHEDULES


class StepParams(Section):
    """What one training step does."""

    batch_size: Annotated[int, Field(ge=1, description="examples per step, drawn with replacement")]
    steps: Annotated[int, Field(ge=1, description="number of updates")]
    optimizer: Annotated[
        Literal[tuple(OPTIMIZERS)],  # type: ignore[valid-type]
        Field(description="sgd is the lecture's; muon updates the matrices between hidden layers, and AdamW the rest"),
    ]
    weight_decay: Annotated[float, Field(ge=0, description="weight decay for weight matrices; biases have none")]
    embedding_decay: Annotated[float, Field(ge=0, description="weight decay for embeddings")]
    embedding_lr_scale: Annotated[
        float, Field(gt=0, le=1e6, description="learning rate of the embeddings, relative to the other weights")
    ]
    smoothing: Annotated[
        float,
        Field(
            ge=0,
            le=1e30,
            description="counts to add to each context, as an n-gram model of the others predicts; 0: none",
        ),
    ] = 0.0
    seed: Annotated[Seed, Field(description="seed of the initial weights and of the batches")]
    device: Annotated[Literal["auto", "cpu", "cuda"], Field(description="auto uses cuda if it is available")]
    precision: Annotated[
        Literal["float32", "bfloat16"],
        Field(description="of matrix products; weights and losses are float32. bfloat16 is for GPUs"),
    ] = "float32"
    compile: Annotated[
        bool, Field(description="use torch.compile, which takes a minute and pays on GPUs; not for recurrent networks")
    ] = False
    threads: Annotated[int, Field(ge=1, description="CPU threads; changing it may change the last digits")]


class TrainingParams(StepParams):
    """How a network is trained on minibatches."""

    lr: Annotated[float, Field(gt=0, le=1e30, description="peak learning rate")]
    schedule: Annotated[
        Literal[tuple(SCHEDULES)],  # type: ignore[valid-type]
        Field(
            description="step divides the rate by 10 half-way (lectures 2 to 4), late_step after three quarters "
            "(lectures 3 and 5); linear and cosine fall to 0"
        ),
    ]
    warmup: Annotated[int, Field(ge=0, description="steps over which the learning rate rises from 0")]
    ema: Annotated[
        float,
        Field(ge=0, lt=1, description="decay of the moving average of the weights, which is saved; 0 saves the last"),
    ]
    checkpoint_every: Annotated[int, Field(ge=0, description="steps between checkpoints; 0 writes none")]
