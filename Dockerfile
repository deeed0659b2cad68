# An image that Gradescope runs ("Manual Docker Configuration"), and that runs anywhere else.
#
#   docker build -t autograder .
#   docker run --rm -v $PWD/work:/autograder/submission -v $PWD/results:/autograder/results autograder
#
# Gradescope asks for one of its own base images; any Debian or Ubuntu with Python 3.10 works elsewhere.
ARG BASE=gradescope/autograder-base:ubuntu-22.04
FROM ${BASE}

# Arguments of pip install. The default takes torch without CUDA.
ARG PIP_ARGS="--extra-index-url https://download.pytorch.org/whl/cpu"

WORKDIR /autograder
# Nobody but root may enter, from the first layer on: the answers are in there.
RUN mkdir -p /autograder/source/engine /autograder/source/assignment \
    && chmod 700 /autograder/source
COPY pyproject.toml README.md LICENSE /autograder/source/engine/
COPY grader /autograder/source/engine/grader
COPY latexgrad /autograder/source/engine/latexgrad
COPY constraints.txt grader/frontends/gradescope/files/setup.sh /autograder/source/
COPY grader/frontends/gradescope/files/run_autograder /autograder/run_autograder
COPY rubric.yaml /autograder/source/assignment/
COPY reference /autograder/source/assignment/reference
COPY submissions_template /autograder/source/assignment/submissions_template
# latex_guide.md of the template is a link to it.
COPY docs/derivations.md /autograder/source/assignment/docs/derivations.md
RUN chmod 755 /autograder/run_autograder \
    && GRADER_PIP_ARGS="${PIP_ARGS}" bash /autograder/source/setup.sh \
    && rm -rf /autograder/source/engine

CMD ["/autograder/run_autograder"]
