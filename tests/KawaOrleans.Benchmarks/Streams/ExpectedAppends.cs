using KawaOrleans.Benchmarks.Cluster;

namespace KawaOrleans.Benchmarks.Streams;

/// <summary>Appends one event after another to a stream that nobody else writes, each with the exact revision of the one before.</summary>
internal sealed class ExpectedAppends(ILog log, string name)
{
    private readonly IStreamHandle _stream = log.Stream(name);
    private ExpectedRevision _expected = ExpectedRevision.NoStream;

    public async Task NextAsync()
    {
        var result = await _stream.AppendAsync([SampleEvents.In(name)], _expected);
        _expected = result is Appended { Revisions: [var revision] }
            ? ExpectedRevision.Exactly(revision)
            : throw new InvalidOperationException($"Stream '{name}' is written by one caller, and an append expecting {_expected} was answered {result}.");
    }
}
