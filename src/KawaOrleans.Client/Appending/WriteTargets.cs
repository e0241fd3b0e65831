namespace KawaOrleans.Client;

/// <summary>Finds the segment that a log is written to.</summary>
internal sealed class WriteTargets(ChainCache chains, IGrains grains, AnswerWatch watch, KnownEnd end, TimeProvider time)
{
    /// <summary>Takes a chain that a writer told.</summary>
    public void Learn(Chain chain) => chains.Keep(chain);

    /// <param name="after">The write segment that was found ended, full or away; null: the one known will do.</param>
    /// <param name="bytes">A new segment has room for so many.</param>
    /// <param name="patience">How long at the most; null: as long as the directory gives signs of life.</param>
    public async ValueTask<WriteTarget> FindAsync(Guid? after, int bytes, TimeSpan? patience)
    {
        var chain = await chains.GetOpenAsync(after, bytes, patience, CancellationToken.None).ConfigureAwait(false);
        var segment = chain.WriteSegment!;
        end.Begin(chain.LogId);
        end.Reached(chain.LogId, segment.Base);
        return new WriteTarget(chain.LogId, segment, chain.Options, grains.Segment(segment.Id, segment.Primary), watch, time);
    }
}
