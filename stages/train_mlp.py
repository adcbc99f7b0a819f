"""Train the MLP of the second lecture."""

from train import stage

app = stage("mlp")
if __name__ == "__main__":
    app()
