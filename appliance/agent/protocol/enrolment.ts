/** Body of `POST /api/v1/agents/enrol`: the single-use token's secret and a PKCS#10 request for the client certificate. */
export interface EnrolRequest {
  readonly secret: string;
  readonly request: string;
  readonly recipient: string;
  readonly release: string;
}

/** Its answer. */
export interface EnrolAnswer {
  readonly certificate: string;
  readonly authority: string;
  readonly site: string;
  readonly epoch: number;
  /** Port of the link listener, which accepts only client certificates. */
  readonly linkPort: number;
}
