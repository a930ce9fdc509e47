"""Questions put to people, in words of no channel: what is asked, who may answer, what stands."""
