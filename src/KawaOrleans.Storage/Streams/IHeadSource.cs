namespace KawaOrleans.Storage.Streams;

/// <summary>Heads of a range of the log that can be read in order, to be merged into a run.</summary>
internal interface IHeadSource
{
    /// <summary>The first position of the range.</summary>
    long From { get; }

    /// <summary>The first position behind the range.</summary>
    long To { get; }

    /// <summary>How many streams it has.</summary>
    long Streams { get; }

    IHeadCursor Read();
}

/// <summary>Walks heads in the order of <see cref="HeadEntry.CompareTo"/>, each stream once.</summary>
internal interface IHeadCursor
{
    /// <summary>The head it is at; valid until the next move.</summary>
    HeadEntry Current { get; }

    bool MoveNext();
}
