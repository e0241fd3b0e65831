using KawaOrleans.Benchmarks.Streams.Rows;

namespace KawaOrleans.Benchmarks.Streams;

/// <summary>What streams and expected revisions cost, as a share of the plain appends and reads of the same run.</summary>
internal sealed class StreamsSuite : Suite
{
    public override string Name => "streams";

    public override string Description => "Streams with expected revisions, against plain appends and reads of the same cluster.";

    public override IReadOnlyList<Row> Rows { get; } =
    [
        ExactAppend.Row,
        ExactBatch.Row,
        FirstAppend.Row,
        ScatteredRead.Row,
        ManyStreams.Row,
        SealingStall.Row,
    ];
}
