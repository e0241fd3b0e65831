namespace KawaOrleans.Client;

/// <summary>Finds the segment that a log is written to.</summary>
internal sealed class WriteTargets(ChainCache chains, IGrains grains, AnswerWatch watch, KnownEnd end)
{
    /// <param name="after">The write segment that was found ended, full or away; null: the one known will do.</param>
    /// <param name="bytes">A new segment has room for so many.</param>
    public async ValueTask<WriteTarget> FindAsync(Guid? after, int bytes)
    {
        var chain = await chains.GetOpenAsync(after, bytes, CancellationToken.None).ConfigureAwait(false);
        var segment = chain.WriteSegment!;
        end.Reached(segment.Base);
        return new WriteTarget(segment, chain.Options, grains.Segment(segment.Id, segment.Primary), watch);
    }
}
