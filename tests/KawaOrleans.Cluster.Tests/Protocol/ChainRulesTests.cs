using KawaOrleans.Server.Protocol;
using static KawaOrleans.Cluster.Tests.Protocol.ChainExamples;

namespace KawaOrleans.Cluster.Tests.Protocol;

public class ChainRulesTests
{
    [Fact]
    public void A_new_chain_has_version_1_and_no_segment()
    {
        var chain = ChainRules.New(Id(99), "orders", new LogOptions());
        Assert.Equal((1, 0, 0), (chain.Version, chain.Epoch, chain.Segments.Count));
        Assert.Null(chain.WriteSegment);
        Assert.Null(ChainRules.Validate(chain));
    }

    [Fact]
    public void The_first_segment_begins_at_0()
    {
        var chain = ChainRules.Rolled(ChainRules.New(Id(99), "orders", new LogOptions()), 0, Segment(1, 0, null, 1));
        Assert.Equal((2, 1), (chain.Version, chain.Epoch));
        Assert.Equal(Id(1), chain.WriteSegment!.Id);
    }

    [Fact]
    public void A_roll_seals_the_open_segment_at_its_end_and_opens_the_next_there()
    {
        var chain = ChainRules.Rolled(Three(), 40, Segment(4, 40, null, 4));
        Assert.Equal([10, 25, 40, null], chain.Segments.Select(segment => segment.End));
        Assert.Equal((5, 4), (chain.Version, chain.Epoch));
        Assert.Equal(Id(4), chain.WriteSegment!.Id);
    }

    [Fact]
    public void A_segment_that_ends_empty_leaves_the_chain_in_the_same_swap()
    {
        var chain = ChainRules.Rolled(Three(), 25, Segment(4, 25, null, 4));
        Assert.Equal([Id(1), Id(2), Id(4)], chain.Segments.Select(segment => segment.Id));
        Assert.Equal(4, chain.Epoch);
    }

    [Fact]
    public void A_chain_that_ends_sealed_is_continued_at_its_end()
    {
        var ended = Three() with { Segments = [.. Three().Segments.SkipLast(1)] };
        Assert.Equal(25, ChainRules.End(ended));
        Assert.Equal(25, ChainRules.Rolled(ended, 25, Segment(4, 25, null, 4)).WriteSegment!.Base);
    }

    [Fact]
    public void A_roll_that_would_break_a_rule_is_not_made()
    {
        Assert.Throws<InvalidOperationException>(() => ChainRules.Rolled(Three(), 40, Segment(4, 41, null, 4)));
        Assert.Throws<InvalidOperationException>(() => ChainRules.Rolled(Three(), 40, Segment(4, 40, null, 3)));
        Assert.Throws<InvalidOperationException>(() => ChainRules.Rolled(Three(), 20, Segment(4, 20, null, 4)));
    }

    public static TheoryData<string, string> Breaches => new()
    {
        { "a hole", "begins at 11, the one before it ends at 10" },
        { "an overlap", "begins at 9, the one before it ends at 10" },
        { "open in the middle", "is open and not the last" },
        { "epoch repeated", "has epoch 1, the one before it 1" },
        { "epoch above the chain's", "the chain only 3" },
        { "empty and sealed", "no range of positions" },
        { "reversed", "no range of positions" },
        { "negative base", "no range of positions" },
        { "twice the same id", "listed twice" },
        { "no nodes", "no quorum" },
        { "quorum above the ensemble", "no quorum" },
        { "a node twice", "twice" },
        { "version 0", "never were" },
        { "no log id", "no id" },
    };

    [Theory]
    [MemberData(nameof(Breaches))]
    public void An_unsound_chain_is_refused_with_the_rule_it_breaks(string breach, string reason)
    {
        var chain = Three();
        var (first, second, last) = (chain.Segments[0], chain.Segments[1], chain.Segments[2]);
        Chain With(params ChainSegment[] segments) => chain with { Segments = segments };
        var broken = breach switch
        {
            "a hole" => With(first, second with { Base = 11 }, last),
            "an overlap" => With(first, second with { Base = 9 }, last),
            "open in the middle" => With(first, second with { End = null }, last),
            "epoch repeated" => With(first, second with { Epoch = 1 }, last),
            "epoch above the chain's" => With(first, second, last with { Epoch = 4 }),
            "empty and sealed" => With(first, second, last with { End = 25 }),
            "reversed" => With(first, second, last with { End = 24 }),
            "negative base" => With(first with { Base = -1 }, second, last),
            "twice the same id" => With(first, second with { Id = first.Id }, last),
            "no nodes" => With(first, second, last with { Ensemble = [] }),
            "quorum above the ensemble" => With(first, second, last with { AckQuorum = 2 }),
            "a node twice" => With(first, second, last with { Ensemble = [Node("a"), Node("a")] }),
            "version 0" => chain with { Version = 0 },
            "no log id" => chain with { LogId = Guid.Empty },
            _ => throw new ArgumentOutOfRangeException(nameof(breach)),
        };
        Assert.Contains(reason, ChainRules.Validate(broken), StringComparison.Ordinal);
    }

    [Fact]
    public void Any_sequence_of_rolls_stays_sound()
    {
        var seed = Random.Shared.Next();
        var random = new Random(seed);
        var chain = ChainRules.New(Id(99), "orders", new LogOptions());
        for (var roll = 1; roll <= 500; roll++)
        {
            var end = (ChainRules.End(chain) ?? chain.WriteSegment!.Base) + (chain.WriteSegment is null ? 0 : random.Next(3));
            var next = ChainRules.Rolled(chain, end, Segment(roll, end, null, chain.Epoch + 1));
            Assert.True(ChainRules.Validate(next) is null, $"seed {seed}, roll {roll}: {ChainRules.Validate(next)}");
            Assert.True(next.Epoch > chain.Epoch && next.Version == chain.Version + 1, $"seed {seed}, roll {roll}");
            chain = next;
        }
    }
}
