using System.Reflection;

namespace KawaOrleans.Cluster.Tests.Streams;

/// <summary>Expectations that no client of ours can make, as bytes of somebody else's: refused where they arrive, and nothing is written.</summary>
public sealed class ExpectationRefusalTests
{
    public static TheoryData<string, string[], long[]> Malformed => new()
    {
        { "named twice", ["s", "s"], [0, 0] },
        { "at least one character", [""], [0] },
        { "at least one character", [null!], [0] },
        { "reserved", ["$all"], [0] },
        { "reserved", ["$meta/$meta/s"], [0] },
        { "control", ["a\nb"], [0] },
        { "at most 512", [new string('x', 513)], [0] },
        { "at most 1024", [.. Enumerable.Range(0, 1025).Select(i => $"s-{i}")], new long[1025] },
        { "-1 says nothing", ["s"], [-1] },
        { "says nothing", ["s"], [long.MinValue] },
        { "1 streams with 2", ["s"], [0, 0] },
        { "0 streams with 1", [], [0] },
    };

    [Theory]
    [MemberData(nameof(Malformed))]
    public void What_travels_is_checked_where_it_arrives(string limit, string[] streams, long[] codes)
    {
        var surrogate = new StreamExpectationsSurrogate { Streams = streams, Codes = codes };
        var error = Assert.Throws<RequestRefusedException>(() => new StreamExpectationsConverter().ConvertFromSurrogate(surrogate));
        Assert.Contains(limit, error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Nothing_at_all_is_nothing_expected() =>
        Assert.Empty(new StreamExpectationsConverter().ConvertFromSurrogate(default).All);

    [Fact]
    public async Task Malformed_expectations_are_refused_by_the_silo_and_nothing_is_written()
    {
        await using var cluster = await StreamTests.Start(1);
        var log = StreamTests.Log(cluster, "orders");
        await log.AppendAsync(PlainLog.Batch(1, "s"));
        var chain = await cluster.Client.GetGrain<ISegmentDirectoryGrain>("orders").GetChain();
        var grain = cluster.Client.GetGrain<ISegmentGrain>(chain.WriteSegment!.Id, chain.WriteSegment.Primary);
        foreach (var expected in new[]
        {
            Forged(("s", 0), ("s", 0)), Forged(("$all", 0)), Forged(("s", -5)), Forged([.. Enumerable.Range(0, 1025).Select(i => ($"s-{i}", 0L))]),
        })
        {
            var error = await Assert.ThrowsAnyAsync<Exception>(async () => await grain.Append(new AppendRequest
            {
                Batches = Block.Of(PlainLog.Batch(1, "s")), Expected = [expected],
            }));
            Assert.True(error is RequestRefusedException, $"{error.GetType()}: {error.Message}");
        }

        Assert.Single(await StreamTests.Drain(log.ReadAsync()));

        // And the connection goes on.
        Assert.IsType<Appended>(await log.Stream("s").AppendAsync([PlainLog.Event("s", "x", "")], ExpectedRevision.Exactly(0)));
    }

    /// <summary>Made behind the back of the checks that a client of ours cannot get around.</summary>
    private static StreamExpectations Forged(params (string Stream, long Code)[] expected)
    {
        const BindingFlags hidden = BindingFlags.Instance | BindingFlags.NonPublic;
        var revision = typeof(ExpectedRevision).GetConstructor(hidden, [typeof(long)])!;
        var all = expected.Select(e => new StreamExpectation(e.Stream, (ExpectedRevision)revision.Invoke([e.Code]))).ToArray();
        return (StreamExpectations)typeof(StreamExpectations).GetConstructor(hidden, [typeof(StreamExpectation[])])!.Invoke([all]);
    }
}
